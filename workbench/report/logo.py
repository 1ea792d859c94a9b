"""A logo for the report's first page: checked by its content, and embedded so that it can do nothing but be seen.

It stands in the report as `<img src="data:…">`: a browser runs no script of such an SVG and fetches nothing for it.
"""

import base64
import io
from pathlib import Path

import vl_convert
from PIL import Image, UnidentifiedImageError

from workbench.report.errors import BadLogo
from workbench.report.records import Logo

MOST_LOGO_BYTES = 512 * 1024
"""A logo is on the first page of every report, and in the JSON of the benchmark."""
_MOST_PIXELS = 4_000
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}
_FORBIDDEN_IN_SVG = ("<!doctype", "<!entity", "<script", "<foreignobject", "<?xml-stylesheet")


def read_logo(path: Path) -> Logo:
    """The picture in a file. Raises BadLogo with what to do."""
    try:
        if path.stat().st_size > MOST_LOGO_BYTES:
            raise BadLogo(_too_large(path.name, path.stat().st_size))
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise BadLogo(f"There is no logo {path}. Name a PNG, JPEG or SVG file.") from error
    except OSError as error:
        raise BadLogo(f"The logo {path} cannot be read: {error.strerror}. Choose another file.") from error
    return check_logo(content, path.name)


def check_logo(content: bytes, name: str) -> Logo:
    """A picture by its content, whatever its name. Raises BadLogo."""
    if len(content) > MOST_LOGO_BYTES:
        raise BadLogo(_too_large(name, len(content)))
    text = _svg_text(content)
    if text is not None:
        _check_svg(text, name)
        return Logo(media_type="image/svg+xml", data_base64=_encoded(text.encode()))
    return Logo(media_type=_raster_type(content, name), data_base64=_encoded(content))


def logo_address(logo: Logo) -> str:
    """The picture as the address of an image element."""
    return f"data:{logo.media_type};base64,{logo.data_base64}"


def _raster_type(content: bytes, name: str) -> str:
    try:
        with Image.open(io.BytesIO(content), formats=tuple(_MEDIA_TYPES)) as picture:
            width, height, kind = picture.width, picture.height, picture.format or ""
            picture.verify()
    except UnidentifiedImageError as error:
        raise BadLogo(
            f"{name} is no PNG, JPEG or SVG picture, whatever its name says. Save the logo as one of them."
        ) from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadLogo(f"{name} is a damaged picture: {error}. Save the logo again.") from error
    if max(width, height) > _MOST_PIXELS:
        size = f"{width:,} × {height:,} pixels"
        raise BadLogo(f"{name} has {size}; a logo has at most {_MOST_PIXELS:,} each way. Make it smaller.")
    return _MEDIA_TYPES[kind]


def _svg_text(content: bytes) -> str | None:
    """The content as text, where it looks like XML."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return text if text.lstrip().startswith("<") else None


def _check_svg(text: str, name: str) -> None:
    """Refuse what a picture does not need, and what cannot be drawn."""
    for part in _FORBIDDEN_IN_SVG:
        if part in text.lower():
            raise BadLogo(f"{name} holds {part}…>, which a logo does not need. Export it as plain SVG.")
    try:
        vl_convert.svg_to_png(text)
    except (ValueError, RuntimeError) as error:  # which of the two depends on the library's version
        raise BadLogo(f"{name} is no SVG that can be drawn. Export it as plain SVG, or as PNG.") from error


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _too_large(name: str, size: int) -> str:
    most = MOST_LOGO_BYTES // 1024
    return f"{name} has {size / 1024:,.0f} KiB; a logo has at most {most} KiB. Make the picture smaller."
