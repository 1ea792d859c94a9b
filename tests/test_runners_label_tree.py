"""The tree of answers: every answer's tokens are looked up once, and what answers share is decoded once."""

from hypothesis import given
from hypothesis import strategies as st

from runners.label_tree import Lookup, plant


def test_answers_of_one_token_are_looked_up_after_the_prompt_and_decode_nothing() -> None:
    tree = plant([[5], [7]])
    assert tree.nodes == ()
    assert tree.branches == 1
    assert tree.at_prompt == (Lookup(0, 5), Lookup(1, 7))


def test_a_shared_beginning_is_decoded_once() -> None:
    tree = plant([[1, 2, 3], [1, 2, 4], [1, 9]])
    assert [(node.token, node.depth) for node in tree.nodes] == [(1, 1), (2, 2)]
    assert tree.branches == 1
    assert tree.at_node == ((Lookup(0, 2), Lookup(1, 2), Lookup(2, 9)), (Lookup(0, 3), Lookup(1, 4)))


def test_answers_that_part_have_branches_of_their_own() -> None:
    tree = plant([[1, 2, 3], [1, 4, 5], [6, 7]])
    assert tree.branches == 3
    by_token = {node.token: set(node.branches) for node in tree.nodes}
    assert by_token[1] == by_token[2] | by_token[4]
    assert not by_token[2] & by_token[4]
    assert not by_token[1] & by_token[6]


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5), min_size=1, max_size=8))
def test_every_answer_is_looked_up_token_by_token(choices: list[list[int]]) -> None:
    tree = plant(choices)
    found: dict[int, list[int]] = {number: [] for number in range(len(choices))}
    for lookup in (*tree.at_prompt, *(lookup for lookups in tree.at_node for lookup in lookups)):
        found[lookup.choice].append(lookup.token)
    assert [found[number] for number in range(len(choices))] == choices
    for branch in range(tree.branches):
        depths = [node.depth for node in tree.nodes if branch in node.branches]
        assert depths == list(range(1, len(depths) + 1)), "a branch is one way without gaps"
    assert all(node.branches for node in tree.nodes)
