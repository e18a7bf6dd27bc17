"""How every file of proofs is judged under pytest: all proved, by both solvers if both are there, and nothing empty."""

from __future__ import annotations

import pytest

from hocket.spec import Spec
from hocket.verdict import Holds


def proved(spec: type[Spec]) -> None:
    """Assert that every obligation of a specification is proved and every deed and theorem has a witness."""
    pytest.importorskip("z3", reason="the extra `verify` is not installed")
    proof = spec.prove()
    failed = [str(line) for line in proof.lines if line.judgement != "proved"]
    empty = [str(witness) for witness in proof.witnesses if witness.example is None]
    assert not failed + empty, "\n".join(failed + empty)
    assert isinstance(proof.verdict, Holds)
