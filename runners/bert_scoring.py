"""BERTScore of answers by the bert-score package, as a process of its own (text_pass.py has the other side).

The package's own definition (Zhang et al. 2020, arXiv:1904.09675): each token matched with the nearest of the other
text by cosine; without idf weights and without rescaling by a baseline, which exists for some models only.
"""

import contextlib
import sys

from runners.child_pass import tell_progress
from runners.errors import EngineFailed
from runners.text_pass import TextPass, TextPassResult, run_child


def compare(wanted: TextPass) -> TextPassResult:
    """Precision, recall and F1 of the pairs. Raises EngineFailed where the model cannot be loaded."""
    from bert_score import BERTScorer

    try:
        scorer = BERTScorer(model_type=wanted.model, num_layers=wanted.layers, rescale_with_baseline=False, idf=False)
    except KeyError as error:
        raise EngineFailed(
            f"bert-score does not know which layer of {wanted.model!r} to take. Say it with --layers."
        ) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise EngineFailed(f"bert-score could not load {wanted.model!r}: {str(error).rstrip('.')}.") from error
    answers = [wanted.texts[one] for one, _ in wanted.pairs]
    targets = [wanted.texts[other] for _, other in wanted.pairs]
    precision, recall, f1 = scorer.score(answers, targets)
    tell_progress(len(answers), len(answers))
    found = {"precision": precision, "recall": recall, "f1": f1}
    columns = {name: tuple(float(value) for value in values) for name, values in found.items()}
    return TextPassResult(columns=columns, model=str(scorer.hash))


if __name__ == "__main__":
    # Ctrl-C reaches the parent as well, which says so; here it only ends the work.
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(run_child(compare, sys.argv[1]))
