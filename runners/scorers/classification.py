"""Classification: reads the label out of an answer."""

import re
from collections.abc import Sequence

from runners.records import Completion, Validity
from runners.scorer_options import LabelMatchOptions
from runners.scorers.json_answer import parse_json
from runners.scorers.judgement import Judgement, trouble, unread
from runners.scorers.names import Named, Names
from runners.scorers.normalisation import fold
from runners.test_set_records import Example, TestSet

_ENDS = "\"'`*.,:;!?()[]{}<> \n\t。，！？：；「」『』"
"""What may stand around a label without being part of it."""
_MARKER = re.compile(
    r"\b(?:label|category|class|classification|intent|answer|sentiment|topic|type|kategorie|antwort|catégorie|réponse|"
    r"categoría|respuesta)\b[\s*\"'_]*(?:is|ist|est|es|:|=|-|→)+[\s*\"'_:]*"
)
_SENTENCE_END = re.compile(r"[.!?。！？]+(?:\s|$)|[。！？]|\n")
_EXPLAINS = re.compile(r"[\s\"'`*)\]]*(?:\n|[.:;!?(–—。：；！？（]|-\s|\s-)")
"""What can follow a label before an explanation; a comma, a slash or a word go on with the answer itself."""


class LabelMatch:
    """1 where the answer is the right label.

    Scored choices: the most likely choice is the answer. Generated text, the first that applies: the answer is a label;
    it is JSON with one label in it; it names a label after `Label:`, `Answer is` or the like; it begins with a label
    and goes on with an explanation; its first sentence names a label; the whole names a label. Where the part that
    applies names several labels, and where none does, the answer is unparseable. Case, quotes, punctuation at the
    ends, forms of the same character, and spaces or underscores or hyphens inside a label do not matter.
    """

    version = "2"

    def __init__(self, _options: LabelMatchOptions) -> None:
        """It has no options."""
        self._names: dict[tuple[str, ...], Names] = {}

    def __call__(self, completion: Completion, example: Example, test_set: TestSet) -> Judgement:
        """Judge one completion."""
        found = trouble(completion)
        if found is not None:
            return Judgement(found)
        predicted = completion.text
        if completion.method == "generated":
            place = _label_in(completion.text, self._known(test_set.labels))
            if place is None:
                return Judgement(unread(completion))
            predicted = test_set.labels[place]
        return Judgement(Validity.SCORED, float(predicted in example.targets), predicted)

    def _known(self, labels: tuple[str, ...]) -> Names:
        if labels not in self._names:
            self._names[labels] = Names(labels)
        return self._names[labels]

    def close(self) -> None:
        """Nothing is held."""


def _label_in(text: str, names: Names) -> int | None:
    whole = names.equal_to(text)
    if whole is None:
        whole = names.equal_to(text.strip(_ENDS))
    if whole is not None:
        return whole
    inside = _strings_of(text)
    if inside:
        labels = {names.equal_to(value) for value in inside} - {None}
        return labels.pop() if len(labels) == 1 else None
    # Lines stay lines: they end an answer as a full stop does.
    folded = "\n".join(fold(line) for line in text.strip().splitlines()).lstrip(_ENDS)
    marked = list(_MARKER.finditer(folded))
    if marked:
        after = names.only_one_in(_first_sentence(folded[marked[-1].end() :]))
        if after is not None:
            return after
    return _from_beginning(folded, names)


def _from_beginning(folded: str, names: Names) -> int | None:
    found = list(names.all_in(folded))
    if not found:
        return None
    first = found[0]
    behind = _EXPLAINS.match(folded, first.end) if first.start == 0 else None
    if behind is not None:
        is_list = _goes_on_with_another(folded, found)
        return next(iter(first.places)) if len(first.places) == 1 and not is_list else None
    head = _first_sentence(folded)
    return names.only_one_in(head if first.end <= len(head) else folded)


def _goes_on_with_another(folded: str, found: Sequence[Named]) -> bool:
    """Whether nothing stands between the first label and another one."""
    first, *others = found
    different = next((named for named in others if named.places != first.places), None)
    return different is not None and not folded[first.end : different.start].strip(_ENDS + "-–—/")


def _first_sentence(folded: str) -> str:
    end = _SENTENCE_END.search(folded)
    return folded if end is None else folded[: end.start()]


def _strings_of(text: str) -> list[str]:
    """Texts in an answer that is a JSON object or list, in a code fence or not."""
    inner = re.sub(r"^```\w*|```$", "", text.strip()).strip()
    value = parse_json(inner) if inner[:1] in {"{", "["} else None
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [str(item) for item in items if isinstance(item, str | int)]
