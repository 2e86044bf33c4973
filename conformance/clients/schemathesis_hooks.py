"""Rules of SuprSend's API that its document does not state, so that Schemathesis takes no such request for a valid one.

They are in `filter_case`, since Schemathesis asks filters of single parts in some of its phases only.
"""

import re
from urllib.parse import unquote

import schemathesis
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

LONGEST_ID = 255

# What is refused although its schema allows it, by what the hub says, with the operations that say so.
RULES = [
    # The tenant and the list that are always there.
    ("delete-tenant", r"tenant_id: the tenant `default` cannot be deleted"),
    (".*list.*|finish-sync|start-sync", r"list_id: all_users cannot be changed"),
    # A name that is blank names nothing.
    (".*event.*", r"(\[\d+\]\.)?(event|distinct_id): is blank"),
    ("bulk-update-messages", r"messages: .* stands there twice"),
    # Recipients may speak of the tenant of the request only.
    (".*trigger.*|add-object-subscription", r"(recipients|users|actor)\S*\$context\.tenant_id: is not the tenant of the request"),
    ("trigger-broadcast", r"list_id: .* not found"),
    # A tenant made the category one that nobody can leave.
    (".*preference.*", r"preference: .* cannot be unsubscribed from"),
    ("add-object-subscription", r"recipients: (subscriptions are at most two levels deep|a transient user cannot be subscribed)"),
    # Who has no id has to be transient, and who is transient is reached by a channel of the request.
    (".*trigger.*|add-object-subscription", r"(recipients|users|actor)\S*: is transient and has no channel"),
    (".*trigger.*|add-object-subscription", r"(recipients|users|actor)\S*distinct_id: is required unless is_transient is true"),
    # Of the management API: what has to be there, or may not be there yet, and drafts that cannot be committed.
    ("create-event|update-event", r"payload_schema: there is no live schema .*"),
    ("create-event", r"name: there is an event .* already"),
    ("delink-event-schema", r"no schema is linked"),
    ("create-workspace-signing-key", r"an active signing key exists already"),
    ("commit-.*", r"\S+ errors: .*"),
]


@schemathesis.hook
def filter_case(context, case):
    """Whether a case may be sent. One that is wrong on purpose may break these rules too: it is to be refused in any case."""
    return (case.meta is not None and case.meta.generation.mode.is_negative) or keeps_rules(case)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether a failure is one. In a sequence of calls, values out of earlier responses are put into cases that were let through."""
    if isinstance(failure, RejectedPositiveData):
        return keeps_rules(case) and not is_refused_by_rule(case, response)
    if isinstance(failure, EnsureResourceAvailability):
        # Of the two users of a merge, the other one may be missing, which the message names.
        return not response.json()["message"].startswith("from_user_id: ")
    return True


def is_refused_by_rule(case, response):
    """Whether all that the hub says of a request is in the rules."""
    name, message = case.operation.definition.raw.get("operationId"), response.json().get("message", "")
    rules = [rule for operations, rule in RULES if re.fullmatch(operations, name)]
    return all(any(re.fullmatch(rule, part) for rule in rules) for part in message.split("; "))


def keeps_rules(case):
    if not is_window(case.query or {}):
        return False
    distinct_id = (case.path_parameters or {}).get("distinct_id")
    # A parameter of the path may be encoded by now, or not yet.
    spellings = {distinct_id, unquote(distinct_id)} if isinstance(distinct_id, str) else {None}
    return all(is_id(spelling) and is_body(case.operation, spelling, case.body) for spelling in spellings)


def is_id(distinct_id):
    """An id is not blank, and not too long."""
    return distinct_id is None or (bool(distinct_id.strip()) and len(distinct_id) <= LONGEST_ID)


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
    if name in ("edit-user-profile", "edit-object-profile", "edit-user-tenant-profile"):
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
        if not (operation.keys() <= members and reserved <= set_ones and addressed <= values and not (keys.get("$increment") or keys.get("$add"))):
            return False
    return True
