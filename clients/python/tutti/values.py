"""Python values as the API carries them, and the API's messages as Python values.

JSON data is `google.protobuf.Value`, whose numbers are doubles: a whole number between
-2**53 and 2**53 comes back as the int that it was, one beyond that loses its last digits on
the way out. Send such numbers as strings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta, timezone
from typing import Any, Union

from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

Json = Union[None, bool, int, float, str, "Sequence[Json]", "Mapping[str, Json]"]
"""JSON data: None, bool, int, float, str, and lists, tuples and dicts of these."""

WHOLE_MAX = 2.0**53
"""The largest whole number that a double holds exactly."""

LEVELS_MAX = 90
"""How many messages deep a value may be nested: decoders refuse more than 100 in all."""

_OBJECT_LEVELS = 3  # Struct, its entry, the value.
_LIST_LEVELS = 2  # ListValue, the value.


class TooDeep(ValueError):
    """The value is nested too deeply to be sent."""


def to_value(data: Any, *, _levels: int = 0) -> struct_pb2.Value:
    """Returns JSON data as the API carries it. Tuples count as lists.

    Raises TypeError for what is not JSON, ValueError for NaN and infinities, and TooDeep.
    """
    if _levels > LEVELS_MAX:
        raise TooDeep("the value is nested too deeply to be sent")
    if data is None:
        return struct_pb2.Value(null_value=struct_pb2.NULL_VALUE)
    if isinstance(data, bool):
        return struct_pb2.Value(bool_value=data)
    if isinstance(data, str):
        return struct_pb2.Value(string_value=data)
    if isinstance(data, (int, float)):
        if not math.isfinite(data):
            raise ValueError(f"{data} is not a JSON number")
        return struct_pb2.Value(number_value=data)
    if isinstance(data, Mapping):
        return struct_pb2.Value(struct_value=_to_struct(data, _levels + _OBJECT_LEVELS))
    if isinstance(data, (list, tuple)):
        items = [to_value(item, _levels=_levels + _LIST_LEVELS) for item in data]
        return struct_pb2.Value(list_value=struct_pb2.ListValue(values=items))
    raise TypeError(f"{type(data).__name__} is not JSON data")


def _to_struct(data: Mapping[Any, Any], levels: int) -> struct_pb2.Struct:
    for name in data:
        if not isinstance(name, str):
            raise TypeError(f"the key {name!r} is not a string")
    fields = {name: to_value(item, _levels=levels) for name, item in data.items()}
    return struct_pb2.Struct(fields=fields)


def from_value(value: struct_pb2.Value) -> Any:
    """Returns the JSON data that a value carries; None when it carries none."""
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return value.string_value
    if kind == "number_value":
        return _number(value.number_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "struct_value":
        return _from_struct(value.struct_value)
    if kind == "list_value":
        return [from_value(item) for item in value.list_value.values]
    return None


def _from_struct(struct: struct_pb2.Struct) -> dict[str, Any]:
    return {name: from_value(item) for name, item in struct.fields.items()}


def _number(number: float) -> int | float:
    whole = number.is_integer() and abs(number) <= WHOLE_MAX
    return int(number) if whole else number


def to_dict(message: Message) -> dict[str, Any]:
    """Returns a message of the API as a dict by field name.

    JSON data comes as it is, enums as their names, instants as datetime in UTC, spans as
    timedelta, an absent message as None. Of a oneof only the member that is set is there,
    and its name under the name of the oneof: `event["kind"] == "step_completed"`.
    """
    result: dict[str, Any] = {}
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof is not None and len(oneof.fields) > 1:
            if message.WhichOneof(oneof.name) != field.name:
                continue
            result[oneof.name] = field.name
        result[field.name] = _field(message, field)
    return result


def _field(message: Message, field: FieldDescriptor) -> Any:
    value = getattr(message, field.name)
    if _is_map(field):
        entry = field.message_type.fields_by_name["value"]
        return {name: _plain(entry, item) for name, item in value.items()}
    if field.is_repeated:
        return [_plain(field, item) for item in value]
    if field.has_presence and not message.HasField(field.name):
        return None
    return _plain(field, value)


def _is_map(field: FieldDescriptor) -> bool:
    of_messages = field.type == FieldDescriptor.TYPE_MESSAGE
    return of_messages and field.message_type.GetOptions().map_entry


def _plain(field: FieldDescriptor, value: Any) -> Any:
    if field.type == FieldDescriptor.TYPE_ENUM:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    if isinstance(value, struct_pb2.Value):
        return from_value(value)
    if isinstance(value, struct_pb2.Struct):
        return _from_struct(value)
    if isinstance(value, timestamp_pb2.Timestamp):
        return value.ToDatetime(tzinfo=timezone.utc)
    if isinstance(value, duration_pb2.Duration):
        return value.ToTimedelta()
    if isinstance(value, Message):
        return to_dict(value)
    return value


def to_span(seconds: float | timedelta) -> duration_pb2.Duration:
    """Returns a span, given in seconds or as timedelta, as the API carries it."""
    span = duration_pb2.Duration()
    span.FromTimedelta(seconds if isinstance(seconds, timedelta) else timedelta(seconds=seconds))
    return span
