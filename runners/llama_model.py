"""A GGUF file opened by llama.cpp: the model, one context, and what the C library says of both.

Chooses what the options leave open (layers on the GPU, attention kernels, threads). Encodes and decodes nothing.
"""

import ctypes
import hashlib
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import llama_cpp

from runners.engine_options import LlamaCppOptions
from runners.errors import EngineFailed
from runners.gpu import gpu_devices
from runners.llama_decoder import Decoder, Entry
from runners.llama_offload import ALL_LAYERS, ModelShape, layers_that_fit
from runners.llama_text import LlamaText, metadata
from runners.llama_threads import Threads, choose_threads, usable_cores
from runners.records import Loaded

MAX_SEQUENCES = 64
"""Sequences held at once: one for the shared prefix, the others for requests and their choices."""
RECURRENT_SEQUENCES = 8
"""The same for networks with recurrent layers, whose state is reserved for each: 150 MiB in Qwen3.6 27B."""

_LOG_LEVEL_WARN = 3
_FLASH_ATTENTION_AUTO, _FLASH_ATTENTION_OFF, _FLASH_ATTENTION_ON = -1, 0, 1
"""`enum llama_flash_attn_type` of llama.h."""
_CACHE_TYPES = {
    "f32": llama_cpp.GGML_TYPE_F32,
    "f16": llama_cpp.GGML_TYPE_F16,
    "q8_0": llama_cpp.GGML_TYPE_Q8_0,
    "q4_0": llama_cpp.GGML_TYPE_Q4_0,
}
_BYTES_PER_NUMBER = {"f32": 4.0, "f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
"""Blocks of 32 numbers with a scale of two bytes."""


def _log(level: int, text: bytes, _: object) -> None:
    # Warnings and errors of the C library go to the worker's log, whose tail a Failure quotes.
    if level >= _LOG_LEVEL_WARN:
        sys.stderr.write(text.decode("utf-8", "replace"))


_LOG_CALLBACK = llama_cpp.llama_log_callback(_log)
"""Kept for as long as the C library may call it."""


class LlamaModel:
    """Owns the model, its context and the decoder."""

    def __init__(self, path: Path, options: LlamaCppOptions) -> None:
        """Map the weights and reserve the KV cache. Raises EngineFailed with what to do."""
        llama_cpp.llama_log_set(_LOG_CALLBACK, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        self._path = path
        self._options = options
        self._model: Any = self._load(self._gpu_layers())
        if not self._model:
            raise EngineFailed(
                f"llama.cpp could not load {path}. It may be damaged, need more memory than is free, "
                "or be of an architecture this version does not know."
            )
        self.recurrent = bool(
            llama_cpp.llama_model_is_recurrent(self._model) or llama_cpp.llama_model_is_hybrid(self._model)
        )
        self.sequences = RECURRENT_SEQUENCES if self.recurrent else MAX_SEQUENCES
        threads = options.threads or usable_cores()
        self._threads = Threads(decode=threads, batch=threads)
        self.context: Any = llama_cpp.llama_init_from_model(self._model, self._context_params())
        if not self.context:
            llama_cpp.llama_model_free(self._model)
            raise EngineFailed(
                f"llama.cpp loaded {path.name} but could not reserve a context of {options.context_tokens:,} tokens "
                f"with a KV cache in {options.cache_type}. Set a smaller context_tokens, or cache_type f16 where the "
                "model's heads do not fit the blocks of another."
            )
        self.text = LlamaText(self._model, options.thinking)
        self.decoder = Decoder(self.context, options.batch_tokens, self.sequences, self.text.vocabulary_size)

    def tune(self, known: Threads | None = None) -> Threads:
        """Set the threads that are fastest here, where the options leave them open; `known` from an earlier load."""
        if self._options.threads is not None:
            return self._threads
        if known is None:

            def decode(tokens: int) -> None:
                self.decoder.clear()
                list(self.decoder.decode_rows([Entry(0, position, (0,)) for position in range(tokens)]))

            known = choose_threads(lambda count: self._set_threads(Threads(count, count)), decode)
            self.decoder.clear()
        self._set_threads(known)
        return known

    def describe(self) -> Loaded:
        """What was loaded."""
        text = ctypes.create_string_buffer(256)
        llama_cpp.llama_model_desc(self._model, text, 256)
        template = self.text.template
        return Loaded(
            engine="llama-cpp",
            engine_version=version("llama-cpp-python"),
            build=llama_cpp.llama_print_system_info().decode("utf-8", "replace").strip(),
            model_description=text.value.decode("utf-8", "replace"),
            parameters=llama_cpp.llama_model_n_params(self._model),
            context_tokens=llama_cpp.llama_n_ctx(self.context),
            trained_context_tokens=llama_cpp.llama_model_n_ctx_train(self._model),
            threads=self._threads.decode,
            batch_threads=self._threads.batch,
            chat_template_sha256=hashlib.sha256(template.encode()).hexdigest() if template is not None else None,
            weights_bytes=llama_cpp.llama_model_size(self._model),
        )

    def close(self) -> None:
        """Free everything, once."""
        self.decoder.close()
        llama_cpp.llama_free(self.context)
        llama_cpp.llama_model_free(self._model)

    def _load(self, gpu_layers: int, *, vocabulary_only: bool = False) -> Any:
        params = llama_cpp.llama_model_default_params()
        params.use_mmap = self._options.memory_map
        params.n_gpu_layers = gpu_layers
        params.vocab_only = vocabulary_only
        return llama_cpp.llama_model_load_from_file(str(self._path).encode(), params)

    def _gpu_layers(self) -> int:
        wanted = self._options.gpu_layers
        if isinstance(wanted, int):
            return wanted
        free = tuple(device.free_bytes for device in gpu_devices() if device.free_bytes is not None)
        if wanted == "all" or not free or not llama_cpp.llama_supports_gpu_offload():
            return ALL_LAYERS
        header = self._load(0, vocabulary_only=True)
        if not header:
            return ALL_LAYERS
        try:
            shape = self._shape(header)
        finally:
            llama_cpp.llama_model_free(header)
        return ALL_LAYERS if shape is None else layers_that_fit(shape, free)

    def _shape(self, header: Any) -> ModelShape | None:
        """From the file's metadata: a model without weights does not know its own shape. None where it says nothing."""
        name = metadata(header, "general.architecture")

        def number(key: str) -> int | None:
            value = metadata(header, f"{name}.{key}")
            return int(value) if value is not None and value.isdigit() else None

        layers, width, heads = number("block_count"), number("embedding_length"), number("attention.head_count")
        if not layers or not width:
            return None
        # Where heads differ from layer to layer the cache is taken as large as it can be.
        share = (number("attention.head_count_kv") or heads) / heads if heads else 1.0
        numbers = 2 * layers * width * share * self._options.context_tokens
        return ModelShape(
            layers=layers,
            weights_bytes=self._path.stat().st_size,
            cache_bytes=round(numbers * _BYTES_PER_NUMBER[self._options.cache_type]),
        )

    def _set_threads(self, threads: Threads) -> None:
        self._threads = threads
        llama_cpp.llama_set_n_threads(self.context, threads.decode, threads.batch)

    def _context_params(self) -> Any:
        options = self._options
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = options.context_tokens
        params.n_batch = options.batch_tokens
        params.n_ubatch = min(512, options.batch_tokens)
        params.n_seq_max = self.sequences
        # Without this bound the output buffer is sized for logits of every token: 512 MiB at a vocabulary of 262,144.
        params.n_outputs_max = self.sequences
        params.kv_unified = True
        # Layers with a sliding window keep the window and not the whole context.
        params.swa_full = False
        params.type_k = params.type_v = _CACHE_TYPES[options.cache_type]
        params.flash_attn_type = self._flash_attention()
        params.n_threads, params.n_threads_batch = self._threads
        return params

    def _flash_attention(self) -> int:
        """On CPUs flash attention halves the decode rate (benchmarks/overhead.py); GPUs are left to llama.cpp.

        A quantized cache works with it only.
        """
        if self._options.cache_type.startswith("q"):
            return _FLASH_ATTENTION_ON
        return _FLASH_ATTENTION_AUTO if llama_cpp.llama_supports_gpu_offload() else _FLASH_ATTENTION_OFF
