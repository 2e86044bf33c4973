"""Makes the calls of calls.json with SuprSend's Python SDK.

Before each, the hub is told which one follows, by a request that is in no document. Where to, and as whom, is in
CONFORMANCE_URL, CONFORMANCE_KEY and CONFORMANCE_SECRET. Prints the values that later calls need, as JSON.
"""

import json
import os
import urllib.error
import urllib.request
import warnings

from suprsend import Event, SubscriberListBroadcast, Suprsend, Workflow, WorkflowTriggerRequest

CLASSES = {
    "workflow": WorkflowTriggerRequest,
    "old_workflow": Workflow,
    "event": Event,
    "broadcast": SubscriberListBroadcast,
}


def main() -> None:
    url, key, secret = (os.environ[f"CONFORMANCE_{name}"] for name in ("URL", "KEY", "SECRET"))
    warnings.simplefilter("ignore")
    client = Suprsend(key, secret, base_url=url)
    with open("calls.json", encoding="utf-8") as file:
        steps = json.load(file)
    kept = {}
    for step in steps:
        if step.get("only", "python") != "python":
            continue
        try:
            urllib.request.urlopen(f"{url}/conformance/{step['step']}")
        except urllib.error.HTTPError:
            pass  # The hub knows no such path.
        try:
            response = make(client, filled(step, kept))
        except Exception as error:  # pylint: disable=broad-except
            if "python" in step.get("differs", {}):
                continue
            raise SystemExit(f"{step['step']}: {error}") from error
        if isinstance(response, dict) and response.get("success") is False and "python" not in step.get("differs", {}):
            raise SystemExit(f"{step['step']}: {response}")
        for name, path in step.get("keep", {}).items():
            value = response
            for part in path:
                value = value[part]
            kept[name] = value
    print(json.dumps(kept))


def filled(value, kept):
    """The values that earlier responses gave, in their places."""
    if isinstance(value, dict):
        if set(value) == {"kept"}:
            return kept[value["kept"]]
        return {name: filled(member, kept) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(item, kept) for item in value]
    return value


def method(client, path):
    for name in path.split("."):
        client = getattr(client, name)
    return client


def edited(instance, operations):
    for name, *arguments in operations:
        getattr(instance, name)(*arguments)
    return instance


def make(client, step):
    arguments = step.get("arguments", [])
    if "bulk" in step:
        bulk = method(client, step["bulk"])()
        for record in step.get("records", []):
            *own, options = record
            bulk.append(CLASSES[step["new"]](*own, **options))
        for user, operations in step.get("users", []):
            bulk.append(edited(method(client, step["edit"])(user), operations))
        response = getattr(bulk, step["call"])()
        if response.status != "success":
            raise RuntimeError(str(response))
        return response
    if "edit" in step:
        instance = edited(method(client, step["edit"])(*arguments), step["operations"])
        return instance.save() if step.get("save") else method(client, step["call"])(instance)
    if "new" in step:
        arguments = [CLASSES[step["new"]](*arguments, **step["options"])]
    if "limit" in step:
        return method(client, step["call"])(limit=step["limit"], offset=0)
    return method(client, step["call"])(*arguments)


if __name__ == "__main__":
    main()
