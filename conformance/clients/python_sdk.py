"""Upserts the users of users.json with SuprSend's Python SDK, and takes more through the life cycle of a user.

python_sdk.py signature|api-key

Where to, and as whom, is in CONFORMANCE_URL, CONFORMANCE_KEY and CONFORMANCE_SECRET.
"""

import json
import os
import sys

from suprsend import Suprsend, SuprsendAPIException


def main(auth: str) -> None:
    url, key, secret = (os.environ[f"CONFORMANCE_{name}"] for name in ("URL", "KEY", "SECRET"))
    if auth == "signature":
        client = Suprsend(key, secret, base_url=url)
    else:
        client = Suprsend.with_workspace_api_key(key, secret, base_url=url)

    with open("users.json", encoding="utf-8") as file:
        for user in json.load(file):
            response = client.users.upsert(user["distinct_id"], user["body"])
            if response["distinct_id"] != user["distinct_id"]:
                sys.exit(f"{user['distinct_id']} was answered with {response['distinct_id']}")

    try:
        client.users.upsert("refused", {"$email": ["not an address"]})
    except SuprsendAPIException as error:
        if error.status_code != 400 or "$email[0]" not in error.message:
            sys.exit(f"the refusal says {error}")
    else:
        sys.exit("a wrong address was not refused")

    life_cycle(client.users)


def life_cycle(users) -> None:
    """What the row of our SDK does too: the profiles are compared."""
    users.upsert("life-a", {"$email": ["old@example.com"], "seats": 2, "tags": ["x"], "source": "web"})
    users.upsert("life-b", {"$sms": ["+15551234567"], "plan": "free", "origin": "web"})
    for distinct_id in ("life-c", "life-d", "life-e"):
        users.upsert(distinct_id, {})

    edit = users.get_edit_instance("life-a")
    edit.set("plan", "pro")
    edit.set_once("plan", "free")
    edit.set_timezone("Europe/Paris")
    edit.add_email("new@example.com")
    edit.remove_email("old@example.com")
    edit.add_slack({"user_id": "U1", "access_token": "xoxb-token"})
    edit.add_androidpush("android-token", "fcm")
    edit.add_iospush("ios-token", "apns")
    edit.append("tags", "y")
    edit.remove("tags", "x")
    edit.unset("source")
    edit.increment("seats", 3)
    edited = users.edit(edit)
    if edited != users.get("life-a"):
        sys.exit(f"the edit gave {edited}, which is not what is stored")

    listed, options = [], {"limit": 2}
    while True:
        page = users.list(options)
        listed += [user["distinct_id"] for user in page["results"]]
        if not page["meta"]["has_next"]:
            break
        options["after"] = page["meta"]["after"]
    if len(listed) != page["meta"]["count"] or len(set(listed)) != len(listed) or "life-a" not in listed:
        sys.exit(f"the list has {listed}")

    users.merge("life-a", "life-b")
    users.delete("life-c")
    users.bulk_delete({"distinct_ids": ["life-d", "life-e", "nobody"]})
    try:
        users.get("life-c")
    except SuprsendAPIException as error:
        if error.status_code != 404 or "life-c" not in error.message:
            sys.exit(f"what is missing is told as {error}")
    else:
        sys.exit("a deleted user was found")


if __name__ == "__main__":
    main(*sys.argv[1:])
