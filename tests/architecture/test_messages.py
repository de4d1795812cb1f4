"""Nothing that can be said is left without a meaning."""

from typing import get_args

from titrant.messages.codec import SCHEMAS, TAGS
from titrant.messages.commands import Command
from titrant.messages.events import Event
from titrant.rules.decide import _DECIDE
from titrant.rules.evolve import _EVOLVE


def test_every_command_is_decided():
    assert set(_DECIDE) == set(get_args(Command))


def test_every_event_changes_the_state_in_a_way_that_is_written_down():
    assert set(_EVOLVE) == set(get_args(Event))


def test_every_event_has_a_schema_number():
    assert set(TAGS) == set(get_args(Event))
    assert set(SCHEMAS) == set(TAGS.values())


def test_tags_are_unique():
    assert len(set(TAGS.values())) == len(TAGS)


def test_messages_are_frozen():
    for kind in (*get_args(Command), *get_args(Event)):
        assert kind.__struct_config__.frozen, kind
