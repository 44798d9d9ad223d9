# SPDX-License-Identifier: Apache-2.0
"""HiGHS (Huangfu and Hall, "Parallelizing the dual revised simplex method", 2018), one thread, behind two questions."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from flocx_market.domain.optimal.program import Floats, Program

#: Returns the module highspy, or raises ImportError.
Loader = Callable[[], Any]


class SolverFailed(Exception):
    """The solver is missing or gave no answer; the text says which."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The values of a program's columns, and what one more unit in use would be worth in each of the last ones."""

    values: Floats
    scarcity: Floats


@dataclass(frozen=True, slots=True)
class Choice:
    """The best whole values that were found, and after how many iterations of the simplex method; ``proven`` if none are better."""

    values: Floats
    iterations: int
    proven: bool


@contextmanager
def _failing() -> Iterator[None]:
    """Give whatever the solver raises one name: greedy must still clear the round."""
    try:
        yield
    except SolverFailed:
        raise
    except Exception as error:
        raise SolverFailed(f"the solver failed: {type(error).__name__}: {error}") from error


def load() -> Any:
    """Import highspy."""
    return importlib.import_module("highspy")


class Solver:
    """Solves programs; the same program gives the same answer, unless a time limit is met.

    :raises SolverFailed: highspy cannot be imported.
    """

    def __init__(self, loader: Loader = load) -> None:
        try:
            self._highs = loader()
        except ImportError as error:
            raise SolverFailed(f"highspy cannot be imported: {error}") from error

    def relax(self, program: Program, seconds: float | None) -> Answer | None:
        """Return the best values when parts of nodes may be taken; None where time ran out.

        An interior point method, and no vertex of the many that are as good:
        the middle of them prices time best.

        :raises SolverFailed: there is no answer.
        """
        with _failing():
            model = self._model(program, seconds, {"solver": "ipm", "run_crossover": "off"})
            timed_out = self._run(model)
        if timed_out:
            return None
        solution = model.getSolution()
        # A method that did not converge may leave what is no number; prices must be.
        values = np.nan_to_num(np.array(solution.col_value, np.float64), posinf=0, neginf=0)
        duals = np.nan_to_num(np.array(solution.col_dual, np.float64), posinf=0, neginf=0)
        if len(values) != len(program.upper) or len(duals) != len(program.upper):
            raise SolverFailed("the solver failed: it gave no values")
        return Answer(values, np.maximum(-duals[program.whole :], 0))

    def choose(self, program: Program, known: Floats, nodes: int, seconds: float | None) -> Choice | None:
        """Return the best values in whole numbers that are found, or None where none are.

        :param known: whole values to begin with.
        :param nodes: nodes of the search tree that may be looked at.
        :raises SolverFailed: the solver gave up for another reason than a limit.
        """
        with _failing():
            model = self._model(program, seconds, {"mip_max_nodes": nodes, "mip_rel_gap": 0.0, "mip_abs_gap": 1e-6})
            integer = np.arange(program.whole, dtype=np.int32)
            model.changeColsIntegrality(
                len(integer), integer, np.array([self._highs.HighsVarType.kInteger] * len(integer))
            )
            start = self._highs.HighsSolution()
            start.col_value = known.tolist()
            model.setSolution(start)
            self._run(model)
        info = model.getInfo()
        if info.primal_solution_status != self._highs.SolutionStatus.kSolutionStatusFeasible:
            return None
        values = np.rint(np.array(model.getSolution().col_value, np.float64))
        proven = model.getModelStatus() == self._highs.HighsModelStatus.kOptimal
        return Choice(values, int(info.simplex_iteration_count), proven)

    def _model(self, program: Program, seconds: float | None, options: dict[str, Any]) -> Any:
        highs = self._highs
        model = highs.Highs()
        fixed = {"output_flag": False, "threads": 1, "parallel": "off", "random_seed": 0}
        for name, value in {**fixed, **options}.items():
            model.setOptionValue(name, value)
        if seconds is not None:
            model.setOptionValue("time_limit", max(seconds, 0.01))
        lp = highs.HighsLp()
        lp.num_col_, lp.num_row_ = len(program.upper), len(program.low)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = -program.worth, np.zeros(len(program.upper)), program.upper
        lp.row_lower_, lp.row_upper_ = program.low, program.high
        lp.a_matrix_.format_ = highs.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = program.start, program.index, program.entry
        if model.passModel(lp) == highs.HighsStatus.kError:
            raise SolverFailed("the solver did not accept a program")
        return model

    def _run(self, model: Any) -> bool:
        """Run it; tell whether time ran out."""
        status = self._highs.HighsModelStatus
        if model.run() == self._highs.HighsStatus.kError:
            raise SolverFailed(f"the solver failed: {model.modelStatusToString(model.getModelStatus())}")
        return bool(model.getModelStatus() == status.kTimeLimit)
