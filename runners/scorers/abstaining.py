"""Abstaining: answers which say that the question cannot be answered out of what was given.

A phrase in the first sentence counts, because an answer that gives something first does not abstain. The phrases are
English with the usual ones of some other languages; a test set can name its own, which is better: tell the model in
the prompt what to say ("answer with: not in the passages") and name that.
"""

import re
from collections.abc import Sequence

from runners.scorers.normalisation import fold

_SOURCE = r"(?:the |these |those |this |any of the |given |provided |supplied )*(?:context|passages?|texts?|documents?|"
_SOURCE += r"sources?|articles?|excerpts?|information|paragraphs?|materials?)(?: provided| given| above)?"
_NOT = r"(?:does not|doesn't|do not|don't|did not|didn't|fails? to)"
_SAY = r"(?:mention|state|say|contain|include|provide|specify|give|answer|tell|address|indicate|have|hold|describe)"
_PHRASES = (
    r"^(?:answer: ?)?(?:unanswerable|unknown|no answer|none|n/a|not (?:answerable|given|stated|mentioned|known|found|"
    r"specified|provided|available)|no information(?: given| available)?|insufficient information)[.!]?$",
    r"\bi (?:do not|don't|did not|didn't) know\b",
    r"\bi(?:'m| am) not (?:sure|certain)\b",
    r"\b(?:there is|there's|i have|i find|i found) (?:no|not enough|insufficient) "
    r"(?:information|answer|mention|data)\b",
    r"\bnot enough information\b",
    r"\binsufficient (?:information|context)\b",
    rf"\b{_SOURCE} {_NOT} (?:\w+ )?{_SAY}",
    rf"\b{_SOURCE} (?:contains?|has|have|provides?|gives?|holds?|includes?|mentions?) no\b",
    rf"\bno (?:information|mention|answer)\b[^.]* (?:in|by|from) {_SOURCE}",
    r"\bnot (?:\w+ )?(?:mentioned|stated|specified|given|provided|contained|included|found|answered|available|present)"
    rf" (?:in|by) {_SOURCE}",
    r"\b(?:can ?not|can't|could ?not|couldn't|impossible to|unable to|not able to) (?:be )?"
    r"(?:determined?|answer(?:ed)?|tell|say|find|infer(?:red)?|deduced?|conclude)\b",
    r"\b(?:is|are|was|were) (?:unanswerable|not answerable)\b",
    # German, French, Spanish, Italian, Portuguese
    r"\bich weiss (?:es )?nicht\b",
    r"\b(?:geht|gehen) (?:daraus |aus \w+ \w+ )?nicht hervor\b",
    r"\b(?:steht|stehen|wird|werden|ist|sind) (?:\w+ ){0,3}nicht (?:im|in|erwähnt|genannt|angegeben|enthalten)\b",
    r"\bkeine (?:angabe|angaben|information|informationen|antwort)\b",
    r"\bje ne sais pas\b",
    r"\b(?:n'est pas|ne sont pas) (?:mentionnée?s?|indiquée?s?|précisée?s?)\b",
    r"\bno (?:lo )?sé\b",
    r"\bno se (?:menciona|indica|especifica)\b",
    r"\bnon lo so\b",
    r"\bnon (?:è|viene) (?:menzionat|indicat|specificat)",
    r"\bnão (?:sei|é mencionad|está mencionad)",
    # Russian, Chinese, Japanese
    r"\b(?:я )?не знаю\b",
    r"\bне (?:указан|упоминается|сказано)",
    r"(?:不知道|无法(?:确定|回答|得知)|没有(?:提到|提及|说明|足够)|未(?:提及|提到|说明))",
    r"(?:わかりません|分かりません|記載(?:されて)?(?:いません|がありません|はありません)|不明です)",
)
_ABSTAINS = re.compile("|".join(_PHRASES))
_FIRST_SENTENCE = re.compile(r".*?(?:[.!?](?=\s|$)|[。！？]|$)")
_LONGEST = 500
"""Characters of a sentence that are looked at."""


def abstains(answer: str, own_phrases: Sequence[str] = ()) -> bool:
    """Whether an answer says in its first sentence that it cannot be answered. An empty one does, as in SQuAD 2.0."""
    folded = fold(answer).strip("\"'*_`()[] ")
    if not folded:
        return True
    if any(fold(phrase) in folded for phrase in own_phrases):
        return True
    first = _FIRST_SENTENCE.match(folded[:_LONGEST])
    return first is not None and _ABSTAINS.search(first.group()) is not None
