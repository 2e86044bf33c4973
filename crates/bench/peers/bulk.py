"""Sends many records with SuprSend's Python SDK, and prints what it took: bulk.py URL KEY users|triggers RECORDS"""

import json
import resource
import sys
import time

from suprsend import Suprsend, WorkflowTriggerRequest


def users(client: Suprsend, records: int):
    bulk = client.users.get_bulk_edit_instance()
    for number in range(records):
        user = client.users.get_edit_instance(f"user-{number:08}")
        user.add_email(f"user-{number:08}@example.com")
        user.add_sms(f"+1555{number % 10_000_000:07}")
        user.set_timezone("America/New_York")
        user.set({"locale": "en_GB", "plan": "pro", "seats": number % 100})
        bulk.append(user)
    return bulk.save()


def triggers(client: Suprsend, records: int):
    bulk = client.workflows.bulk_trigger_instance()
    for number in range(records):
        body = {
            "workflow": "benchmark",
            "recipients": [f"user-{number:08}"],
            "data": {
                "email": f"user-{number:08}@example.com",
                "phone": f"+1555{number % 10_000_000:07}",
                "plan": "pro",
                "seats": number % 100,
            },
        }
        bulk.append(WorkflowTriggerRequest(body, idempotency_key=f"benchmark-{number}"))
    return bulk.trigger()


def main(url: str, key: str, kind: str, records: int) -> None:
    # Of its two ways to prove who it is, the one that computes no signatures.
    client = Suprsend.with_workspace_api_key(key, key, base_url=url)
    start, cpu = time.perf_counter(), time.process_time()
    response = {"users": users, "triggers": triggers}[kind](client, records)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    if response.status != "success" or response.success != records:
        sys.exit(str(response))
    result = {
        "requests": records,
        "seconds": seconds,
        "cpu_seconds": cpu,
        # All outcomes come at the end.
        "p50_us": seconds * 1e6,
        "p99_us": seconds * 1e6,
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
