"""Rules of SuprSend's API that its document does not state, so that Schemathesis takes no such request for a valid one."""

import schemathesis

LONGEST_ID = 255


@schemathesis.hook
def filter_body(context, body):
    """Keys that start with `$` and are no channel and no known property are reserved."""
    operation = context.operation.definition.raw
    name = operation.get("operationId")
    if not isinstance(body, dict):
        return True
    if name == "edit-user-profile":
        return is_edit(body, context.operation.schema.raw_schema["components"]["schemas"])
    if name != "create-update-users":
        return True
    known = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    return all(key in known for key in body if key.startswith("$"))


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


@schemathesis.hook
def filter_query(context, query):
    """Cursors come from the API itself."""
    return not isinstance(query, dict) or not ({"before", "after"} & query.keys())


@schemathesis.hook
def filter_path_parameters(context, path_parameters):
    """An id is not blank, and not too long."""
    distinct_id = (path_parameters or {}).get("distinct_id")
    return not isinstance(distinct_id, str) or (bool(distinct_id.strip()) and len(distinct_id) <= LONGEST_ID)
