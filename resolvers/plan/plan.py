"""An operation and its variables become a Plan, remembered, and the arguments of its statement.

Which plan fits is decided by what the planner asked while it made one: the questions of an
operation form a tree, every answer leads to the next question, and every leaf is a plan. Requests
that answer alike share a plan; nothing that no planner looked at makes a difference.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from db.query import Reads, Select, Statement
from db.render import render
from resolvers.errors import Code, FieldRefused, not_recorded, refuse
from resolvers.graph import Graph
from resolvers.parse import Operation, is_query, is_subscription
from resolvers.past import as_of
from resolvers.plan import changes, read
from resolvers.plan.context import Bound, Context, NeedsPython, Path, Weight
from resolvers.plan.outcome import Reading, readings
from resolvers.plan.selections import collect
from resolvers.plan.values import Literal, Lookout, Question, Variables, look


@dataclass(frozen=True, slots=True)
class Plan:
    """How an operation is answered. Without a statement there is nothing to ask Postgres."""

    statement: Statement | None
    # Of the statement: those that variables bring, and the rest as they are.
    arguments: tuple[Bound | object, ...]
    computed: bool
    refused: Mapping[Path, FieldRefused]
    weights: tuple[Weight, ...]
    checks: tuple[Bound, ...]
    # What the answer is made from; it holds for as long as that does not change.
    reads: Reads
    # Whether the answer is another one in another language of the request.
    localized: bool
    # Whether the answer is about a person, who told it, so that nobody keeps it.
    private: bool
    # Of a mutation: what is done, one after the other, and how it is read back.
    readings: tuple[Reading, ...] = ()
    # The moment of the past that is asked about, if it is not now.
    as_of: Bound | None = None

    @property
    def text(self) -> str:
        """The SQL."""
        return self.statement.text if self.statement else ""

    def moment(self, variables: Variables) -> datetime | None:
        """The moment of the past that is asked about, if it is not now."""
        if self.as_of is None:
            return None
        moment = self.as_of.bind(variables)
        assert isinstance(moment, datetime)
        return moment

    def rows(self, variables: Variables) -> int:
        """How many rows its pages, multiplied, could return."""
        return sum(weight.rows(variables) for weight in self.weights)


@dataclass(slots=True)
class _Fork:
    """A question, and where each answer to it leads."""

    question: Question
    ways: dict[Hashable, _Fork | Plan] = field(default_factory=dict)


@dataclass(slots=True)
class _Plans:
    """The plans that an operation has had."""

    root: _Fork | Plan | None = None
    count: int = 0


def plan(
    graph: Graph, operation: Operation, variables: Variables, *, computed: bool = False
) -> tuple[Plan, list[object]]:
    """The plan of an operation, and the arguments of its statement.

    `computed` asks for the second road where the first would do, for tests to compare the two.
    """
    planned = _remembered(operation, variables, computed)
    if planned is None:
        try:
            planned = _planned(graph, operation, variables, computed)
        except RecursionError as error:
            raise refuse(
                Code.TOO_DEEP, "An argument of this document is nested too deeply."
            ) from error
    arguments, refused = bind(planned, variables)
    while refused.keys() - planned.refused.keys():
        # Rare, and different each time: a value that its field refuses. Plan without that field.
        # Each round refuses another field, so this comes to an end.
        assert not refused.keys() & planned.refused.keys(), "a refused field was planned again"
        context = _context(graph, operation, Lookout(variables), {**planned.refused, **refused})
        planned = _finished(context, operation)
        arguments, refused = bind(planned, variables)
    rows = planned.rows(variables)
    if rows > graph.limits.rows:
        message = (
            f"This could return {rows} rows; the limit is {graph.limits.rows}. "
            "Ask for smaller pages."
        )
        raise refuse(Code.TOO_MANY_ROWS, message)
    return planned, arguments


def bind(planned: Plan, variables: Variables) -> tuple[list[object], dict[Path, FieldRefused]]:
    """The arguments for `$1`, `$2`, ..., and the fields that refuse the values they are given."""
    arguments: list[object] = []
    refused: dict[Path, FieldRefused] = {}
    for argument in (*planned.arguments, *_read_back(planned)):
        if not isinstance(argument, Bound):
            arguments.append(argument)
            continue
        try:
            arguments.append(argument.bind(variables))
        except FieldRefused as error:
            refused[argument.path] = error
    for check in planned.checks:
        try:
            check.bind(variables)
        except FieldRefused as error:
            refused[check.path] = error
    return arguments, refused


def _read_back(planned: Plan) -> Iterator[Bound | object]:
    for reading in planned.readings:
        yield from reading.arguments


def _remembered(operation: Operation, variables: Variables, computed: bool) -> Plan | None:
    plans = operation.plans.get(computed)
    if not isinstance(plans, _Plans):
        return None
    way = plans.root
    while isinstance(way, _Fork):
        way = way.ways.get(look(way.question, variables))
    return way


# Beyond this many shapes of variables an operation's plans are forgotten and grown anew.
_MOST_PLANS = 200


def _planned(graph: Graph, operation: Operation, variables: Variables, computed: bool) -> Plan:
    lookout = Lookout(variables)
    try:
        if computed:
            raise NeedsPython
        context = Context(graph, operation, lookout, False, {}, read.columns)
        planned = _finished(context, operation)
    except NeedsPython:
        context = _context(graph, operation, lookout, {})
        planned = _finished(context, operation)
    if not planned.refused:
        # What was refused was refused for its value, and values are without end.
        _remember(operation, computed, lookout, planned)
    return planned


def _context(
    graph: Graph, operation: Operation, lookout: Lookout, refused: Mapping[Path, FieldRefused]
) -> Context:
    """A plan in the making, for the second road."""
    return Context(graph, operation, lookout, True, dict(refused), read.columns)


def _finished(context: Context, operation: Operation) -> Plan:
    selections = [operation.definition.selection_set]
    read_back: tuple[Reading, ...] = ()
    schema = context.graph.schema
    if is_query(operation):
        fields = collect(schema, operation, context.lookout, "Query", selections)
        select = read.root(context, fields)
    elif is_subscription(operation):
        fields = collect(schema, operation, context.lookout, "Subscription", selections)
        select = changes.root(context, fields)
    else:
        fields = collect(schema, operation, context.lookout, "Mutation", selections)
        read_back = readings(context, fields)
        select = Select(())
    reads = Reads.of(select)
    past = as_of(context.graph, operation, context.lookout)
    if past is not None and not context.graph.unrecorded.isdisjoint(
        reads.relations | reads.functions
    ):
        raise not_recorded()
    statement = render(select) if select.columns else None
    return Plan(
        statement,
        tuple(_settled(param.value) for param in statement.params) if statement else (),
        context.python,
        context.refused,
        tuple(context.weights),
        tuple(context.checks),
        reads,
        context.localized,
        context.private,
        read_back,
        past,
    )


def _settled(bound: object) -> Bound | object:
    """The value of a literal, which is the same for every request."""
    assert isinstance(bound, Bound)
    if not isinstance(bound.leaf, Literal):
        return bound
    try:
        return bound.bind({})
    except FieldRefused:
        return bound  # and refused by every request


def _remember(operation: Operation, computed: bool, lookout: Lookout, planned: Plan) -> None:
    plans = operation.plans.get(computed)
    if not isinstance(plans, _Plans) or plans.count >= _MOST_PLANS:
        plans = operation.plans[computed] = _Plans()
    plans.count += 1
    # From the last question to the first, so that each way is there before one leads to it.
    way: _Fork | Plan = planned
    questions = list(lookout.asked.items())
    known = plans.root
    for index, (_, answer) in enumerate(questions):
        if not isinstance(known, _Fork):
            break
        following = known.ways.get(answer)
        if following is None:
            for later, given in reversed(questions[index + 1 :]):
                way = _Fork(later, {given: way})
            known.ways[answer] = way
            return
        known = following
    for question, answer in reversed(questions):
        way = _Fork(question, {answer: way})
    plans.root = way
