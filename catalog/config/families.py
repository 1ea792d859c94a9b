"""What transformers' source says of model types and their configs do not: the only knowledge by name in this folder.

Each set or table names the rule; where a type is in none of them, what its config leaves out stays unknown.
"""


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


HEADS_WITHOUT_GROUPS = _names(
    """baichuan bert bloom codegen deberta deberta-v2 distilbert electra esm gpt2 gpt_neo gpt_neox gptj internlm jais
    llama mpnet mpt nomic_bert openai-gpt opt persimmon phi phi-msft qwen roberta stablelm_epoch xglm xlm-roberta"""
)
"""Types that keep as many key heads as query heads where the config says nothing else."""

HEAD_DIM_BY_DIVISION = HEADS_WITHOUT_GROUPS | _names(
    """apertus arctic bamba chatglm cohere cohere2 dbrx deepseek deci ernie4_5 ernie4_5_moe exaone exaone4 falcon
    gpt_bigcode gpt_oss granite granitemoe granitemoehybrid granitemoeshared hunyuan_v1_dense internlm2 internlm3 jamba
    lfm2 lfm2_moe llama4_text mimo minicpm minimax_m2 ministral ministral3 mistral mixtral mllama_text_model modernbert
    nemotron nemotron-nas olmo olmo2 olmo3 olmoe orion phi3 phi3_v phi4mm phimoe qwen2 qwen2_5_vl qwen2_5_vl_text
    qwen2_moe qwen2_vl qwen2_vl_text RefinedWeb RefinedWebModel seed_oss smollm3 stablelm starcoder2 xverse yi zamba2"""
)
"""Types whose transformers class takes hidden_size / heads where no head size is stated."""

TIED_WHEN_SILENT = _names(
    """bloom cohere cohere2 falcon gemma gemma2 gemma3 gemma3_text gemma3n_text gemma4_text gpt2 gpt_bigcode mpt opt"""
)
"""Types whose transformers class ties input and output embeddings unless the config says otherwise."""

IMPLIED_PATTERNS = {
    "gemma2": 2,
    "gemma3_text": 6,
    "gemma3": 6,
    "gemma3n_text": 5,
    "cohere2": 4,
    "gpt_oss": 2,
    "olmo3": 4,
    "exaone4": 4,
}
"""Every how many-th layer attends to everything where the config names a window but no pattern (configuration_*.py)."""

WINDOW_IN_EVERY_LAYER = _names("mistral mixtral starcoder2 phi3 phi3_v phimoe ministral")
"""Types where a window without a pattern holds for every layer."""

PURELY_RECURRENT = _names("mamba mamba2 falcon_mamba rwkv rwkv5 rwkv6 rwkv7")
"""Types without attention."""

ENCODERS = _names(
    "albert bert deberta deberta-v2 distilbert electra esm modernbert mpnet nomic_bert roberta xlm-roberta"
)
"""Types that read the whole text at once and keep no cache."""

FALCON = _names("falcon RefinedWeb RefinedWebModel")
"""Types with Falcon's own rules for key heads."""

FACTOR_INSIDE = _names("gemma3 gemma3_text")
"""Types that scale positions linearly and state the length after it."""
