"""Rules of SuprSend's API that its document does not state, so that Schemathesis takes no such request for a valid one.

As `filter_case`, since that is the only filter that Schemathesis asks in all of its phases.
"""

import schemathesis

LONGEST_ID = 255


@schemathesis.hook
def filter_case(context, case):
    """Whether a case may be sent. One that is wrong on purpose may break these rules too: it is to be refused in any case."""
    if case.meta is not None and case.meta.generation.mode.is_negative:
        return True
    distinct_id = (case.path_parameters or {}).get("distinct_id")
    return is_id(distinct_id) and is_window(case.query or {}) and is_body(context.operation, distinct_id, case.body)


def is_id(distinct_id):
    """An id is not blank, and not too long."""
    return not isinstance(distinct_id, str) or (bool(distinct_id.strip()) and len(distinct_id) <= LONGEST_ID)


def is_window(query):
    """Cursors come from the API itself."""
    return not ({"before", "after"} & query.keys())


def is_body(operation, distinct_id, body):
    """What an operation does not take of what its schema allows."""
    definition = operation.definition.raw
    name = definition.get("operationId")
    if not isinstance(body, dict):
        return True
    if name == "merge-users":
        return body.get("from_user_id") != distinct_id
    if name == "edit-user-profile":
        return is_edit(body, operation.schema.raw_schema["components"]["schemas"])
    if name == "create-update-users":
        # Keys that start with `$` and are no channel and no known property are reserved.
        known = definition["requestBody"]["content"]["application/json"]["schema"]["properties"]
        return all(key in known for key in body if key.startswith("$"))
    return True


def is_edit(body, schemas):
    """The same in the operations of an edit, of which those on custom properties are left out: what a property holds decides whether
    they can be done."""
    operations = body.get("operations")
    if not isinstance(operations, list):
        return True
    set_ones, values, members = (set(schemas[name]["properties"]) for name in ("UserProperties", "EditValues", "EditOperation"))
    for operation in (operation for operation in operations if isinstance(operation, dict)):
        keys = {name: set(value) for name, value in operation.items() if isinstance(value, dict)}
        reserved = {key for name in ("$set", "$set_once") for key in keys.get(name, ()) if key.startswith("$")}
        addressed = keys.get("$append", set()) | keys.get("$remove", set())
        if not (operation.keys() <= members and reserved <= set_ones and addressed <= values and not keys.get("$increment")):
            return False
    return True
