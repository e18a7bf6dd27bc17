"""`Spec`: a specification with its readers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from hocket.spec.ground import Given
from hocket.spec.language import Language
from hocket.spec.layout import Event
from hocket.spec.live import Fairness
from hocket.spec.machine import Machine
from hocket.spec.monitor import Illegal, Monitor
from hocket.spec.refine import Accepted, RefusedTrace, accepts
from hocket.spec.search import Found, search
from hocket.spec.terms import Sort
from hocket.spec.traced import Theory, theory

if TYPE_CHECKING:
    from hocket.spec.breaking import Mutants, Only
    from hocket.spec.prove import Proof

__all__ = ["Spec"]


class Spec(Language):
    """Base class of every model. Scopes are keywords named for the sorts: a number of elements, or their names."""

    @classmethod
    def theory(cls) -> Theory:
        """The specification as terms; traced once per class."""
        known: Theory | None = cls.__dict__.get("_theory")
        if known is None:
            known = theory(cls)
            cls._theory = known
        return known

    _theory: Theory

    @classmethod
    def search(
        cls,
        given: Given | None = None,
        claims: Collection[str] | None = None,
        limit: int = 2_000_000,
        symmetric: Collection[Any] = (),
        fairness: Fairness = None,
        **scope: Any,
    ) -> Found:
        """Every reachable state within a scope: `search(Task=3, given={"after": {...}})`.

        `claims` names what to check, by default every @invariant, @always, @sometimes and @eventually. `limit` is in
        states: beyond it verdicts are unknown. `symmetric`: sorts, or their names, whose elements are taken for
        interchangeable; what is `given` is respected. `fairness` of the deeds, for @eventually: "weak", "strong" or
        "none" for all actions, or {deed: one of these}; None: as the model says.

        Raises SpecError for a model that says nothing definite: no initial state, a sort without a size, elements
        that are told apart and were called symmetric.
        """
        claims = [claims] if isinstance(claims, str) else claims  # one name, not its letters
        symmetric = [symmetric] if isinstance(symmetric, (str, Sort)) else symmetric
        names = [getattr(sort, "name", sort) for sort in symmetric]
        return search(cls.theory(), scope, given, claims, limit, names, fairness)

    @classmethod
    def accepts(cls, trace: Iterable[Event], given: Given | None = None, **scope: Any) -> Accepted | RefusedTrace:
        """Whether the specification can do exactly these events: each ("deed", element, …), elements by name."""
        return accepts(cls.theory(), trace, scope, given or {})

    @classmethod
    def monitor(
        cls, given: Given | None = None, told: Callable[[Illegal], object] | None = None, **scope: Any
    ) -> Monitor:
        """Hold a running system against this model, event by event: `monitor.take("deed", element, …)`.

        It never raises; `monitor.refused` is the first event that is not allowed, and `told` is called with it.
        `monitor.through(translate)` is a watcher for systems that speak in other words.
        """
        return Monitor(cls.theory(), scope, given, told)

    @classmethod
    def machine(cls, given: Given | None = None, fold: bool = True, **scope: Any) -> Machine:
        """The interpreter for a scope; `fold=False` leaves rigid symbols open, to be given per run."""
        return Machine(cls.theory(), scope, given, fold)

    @classmethod
    def prove(cls, seconds: float = 10.0, recheck: bool | None = None) -> Proof:
        """Prove every obligation for any number of elements; z3 proves, cvc5 checks the same text again if installed.

        Raises MissingExtra where z3 is not installed (extra `verify`).
        """
        from hocket.spec.prove import prove

        return prove(cls.theory(), seconds, recheck)

    @classmethod
    def mutants(cls, largest: int = 2, only: Only | None = None, **scope: Any) -> Mutants:
        """Leave out each guard and each update, or those that `only(deed, kind, line)` accepts; who notices?

        With a scope, and `given` as for `search`, searching it may notice as well.
        """
        from hocket.spec.breaking import mutants

        return mutants(cls.theory(), largest, scope, only)
