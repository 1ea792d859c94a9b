"""Cosine of texts by a sentence-transformers model, as a process of its own (text_pass.py has the other side).

The model pools and normalises as its own configuration says; vectors are brought to length 1 in any case.
"""

import contextlib
import sys

import numpy as np

from runners.child_pass import tell_progress
from runners.errors import EngineFailed
from runners.text_pass import TextPass, TextPassResult, run_child


def compare(wanted: TextPass) -> TextPassResult:
    """Cosines of the pairs. Raises EngineFailed where the model cannot be loaded."""
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(wanted.model)
    except (OSError, ValueError, RuntimeError) as error:
        said = str(error).rstrip(".")
        raise EngineFailed(f"sentence-transformers could not load {wanted.model!r}: {said}.") from error
    texts = [wanted.prefix + text for text in wanted.texts]
    vectors = np.asarray(
        model.encode(texts, normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True),
        dtype=np.float64,
    )
    tell_progress(len(texts), len(texts))
    cosines = [float(np.clip(vectors[one] @ vectors[other], -1, 1)) for one, other in wanted.pairs]
    return TextPassResult(columns={"cosine": tuple(cosines)}, model=wanted.model, pooling="as the model is configured")


if __name__ == "__main__":
    # Ctrl-C reaches the parent as well, which says so; here it only ends the work.
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(run_child(compare, sys.argv[1]))
