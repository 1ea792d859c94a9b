"""Scores the answers of many prompts: shared tokens are decoded once, logits asked for only where they are looked up.

The tokens that all prompts begin with are decoded once for all; of each prompt's answers the tree is decoded in the
same call as the prompt's own tokens. Knows no text; renders and tokenizes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from runners.label_tree import LabelTree, Lookup, plant
from runners.llama_cells import ROWS, CellLayout, aligned
from runners.llama_decoder import Decoder, Entry, log_total


@dataclass
class Item:
    """A prompt with its answers, as tokens."""

    prompt: list[int]
    choices: list[list[int]]

    def __post_init__(self) -> None:
        self.tree: LabelTree = plant(self.choices)
        self.logprobs: list[float] = [0.0] * len(self.choices)
        """Sum over the tokens of each answer, natural logarithm; complete once the item is yielded."""

    def take(self, lookups: Sequence[Lookup], logits: npt.NDArray[np.float32]) -> None:
        """Add the log-probability of each token looked up, given logits of shape (vocabulary_size,)."""
        total = log_total(logits)
        for choice, token in lookups:
            self.logprobs[choice] += float(logits[token]) - total


_Targets = dict[int, tuple[Item, tuple[Lookup, ...]]]
"""Place in the entries of a call → what is looked up in its logits."""


@dataclass(frozen=True)
class Room:
    """How much one group of items may take."""

    sequences: int
    """Sequences for prompts and their answers, from 1 on; 0 is the shared prefix."""
    batch_tokens: int
    """Tokens decoded in one call."""
    cells: int
    """KV cache cells, shared by all sequences."""


class Scoring:
    """Scores the items of one context."""

    def __init__(self, decoder: Decoder, room: Room, layout: CellLayout | None) -> None:
        """`layout` is None where a token cannot belong to several sequences: recurrent layers copy their state."""
        self._decoder = decoder
        self._room = room
        self._layout = layout
        self._shared = 0

    def score(self, items: Sequence[Item], beginning: list[int] | None = None) -> Iterator[tuple[Item, int | None]]:
        """Every item in order, with the tokens that it shares with others; None where it does not fit the cells.

        `beginning` is what all prompts begin with, where these are a part of the work; else it is looked for.
        Raises EngineFailed where llama.cpp does.
        """
        if self._layout is not None:
            self._layout.prepare()
        self._decoder.clear()
        prefix = common_prefix([item.prompt for item in items]) if beginning is None else beginning
        self._shared = len(prefix)
        list(self._decoder.decode_rows([Entry(token, position, (0,)) for position, token in enumerate(prefix)]))
        group: list[Item] = []
        for item in items:
            alone = not self._fits([item])
            if group and (alone or not self._fits([*group, item])):
                yield from self._score_group(group)
                group = []
            if not alone:
                group.append(item)
            elif self._shared + self._length(item) > self._room.cells:
                yield item, None
            else:
                yield from self._score_alone(item)
        yield from self._score_group(group)
        self._decoder.clear()

    def _score_group(self, group: Sequence[Item]) -> Iterator[tuple[Item, int]]:
        if not group:
            return
        if self._layout is not None:
            self._decode_forked(group, self._layout)
        else:
            self._decode_copied(group)
        for sequence in range(1, 1 + self._room.sequences):
            self._decoder.forget(sequence)
        for item in group:
            yield item, self._shared

    def _score_alone(self, item: Item) -> Iterator[tuple[Item, int]]:
        """An item too large for one call, or with more branches than sequences: some answers after the others."""
        most = self._room.sequences - 1
        for start in range(0, len(item.choices), most):
            part = Item(item.prompt, item.choices[start : start + most])
            list(self._score_group([part]))
            item.logprobs[start : start + most] = part.logprobs
        yield item, self._shared

    def _decode_forked(self, group: Sequence[Item], layout: CellLayout) -> None:
        """One call for prompts and answers: a token belongs to the sequence of every branch that runs through it."""
        lengths = [self._length(item) for item in group]
        if self._cells(group) <= self._room.cells:
            layout.place(self._shared, lengths)
        entries: list[Entry] = []
        targets: _Targets = {}
        first = 1
        for item in group:
            branches = tuple(range(first, first + item.tree.branches))
            first += item.tree.branches
            for branch in branches:
                self._decoder.share(0, branch)
            entries += self._own_tokens(item, branches)
            targets[len(entries) - 1] = (item, item.tree.at_prompt)
            for node, lookups in zip(item.tree.nodes, item.tree.at_node, strict=True):
                targets[len(entries)] = (item, lookups)
                through = tuple(branches[number] for number in node.branches)
                entries.append(Entry(node.token, len(item.prompt) - 1 + node.depth, through, wants_logits=True))
        layout.fill_rows(entries)
        self._look_up(entries, targets)
        layout.release()

    def _decode_copied(self, group: Sequence[Item]) -> None:
        """The prompts in one call, then each branch on a copy of its prompt's state, as many at once as fit."""
        entries: list[Entry] = []
        targets: _Targets = {}
        for sequence, item in enumerate(group, start=1):
            self._decoder.share(0, sequence)
            entries += self._own_tokens(item, (sequence,))
            targets[len(entries) - 1] = (item, item.tree.at_prompt)
        self._look_up(entries, targets)
        ways = [
            (sequence, item, branch)
            for sequence, item in enumerate(group, start=1)
            for branch in range(item.tree.branches if item.tree.nodes else 0)
        ]
        first = 1 + len(group)
        at_once = self._room.sequences - len(group)
        seen: set[tuple[int, int]] = set()
        for start in range(0, len(ways), at_once):
            entries, targets = [], {}
            for free, (sequence, item, branch) in enumerate(ways[start : start + at_once], start=first):
                self._decoder.share(sequence, free)
                for number, node in enumerate(item.tree.nodes):
                    if branch not in node.branches:
                        continue
                    is_new = (sequence, number) not in seen
                    seen.add((sequence, number))
                    if is_new:
                        targets[len(entries)] = (item, item.tree.at_node[number])
                    entries.append(Entry(node.token, len(item.prompt) - 1 + node.depth, (free,), is_new))
            self._look_up(entries, targets)
            for free in range(first, first + at_once):
                self._decoder.forget(free)

    def _own_tokens(self, item: Item, sequences: tuple[int, ...]) -> list[Entry]:
        last = len(item.prompt) - 1
        return [
            Entry(item.prompt[position], position, sequences, position == last)
            for position in range(self._shared, len(item.prompt))
        ]

    def _look_up(self, entries: Sequence[Entry], targets: _Targets) -> None:
        for index, row in self._decoder.decode_rows(entries):
            if index in targets:
                item, lookups = targets[index]
                item.take(lookups, self._decoder.logits(row))

    def _fits(self, group: Sequence[Item]) -> bool:
        """Whether one call takes the group."""
        copied = 0 if self._layout is not None else len(group)
        branches = copied + sum(item.tree.branches for item in group)
        rows = sum(1 + len(item.tree.nodes) for item in group)
        tokens = sum(self._length(item) for item in group) + ROWS
        return (
            max(branches, rows) <= self._room.sequences
            and tokens <= self._room.batch_tokens
            and self._cells(group) <= self._room.cells
        )

    def _cells(self, group: Sequence[Item]) -> int:
        """KV cache cells of a group, with the shared prefix and what the layout takes."""
        lengths = [self._length(item) for item in group]
        if self._layout is None:
            return self._shared + sum(lengths)
        return aligned(self._shared) + sum(map(aligned, lengths)) + ROWS

    def _length(self, item: Item) -> int:
        """Cells of an item beyond the shared prefix; a copied branch has its own copy of every node on its way."""
        forks = self._layout is not None
        answers = len(item.tree.nodes) if forks else sum(len(node.branches) for node in item.tree.nodes)
        return len(item.prompt) - self._shared + answers


def common_prefix(prompts: Sequence[Sequence[int]]) -> list[int]:
    """Longest run of tokens that several prompts begin with; each prompt keeps at least one token of its own."""
    if len(prompts) < 2:
        return []
    shortest = min(len(prompt) for prompt in prompts) - 1
    table = np.array([prompt[:shortest] for prompt in prompts])
    same = (table == table[0]).all(axis=0)
    length = int(np.argmin(same)) if not same.all() else shortest
    return list(prompts[0][:length])
