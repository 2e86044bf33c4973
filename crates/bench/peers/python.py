"""Upserts users with SuprSend's Python SDK, and prints what it took: python.py URL KEY CONCURRENCY WARM-UP REQUESTS"""

import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from suprsend import Suprsend


def main(url: str, key: str, concurrency: int, warm_up: int, requests: int) -> None:
    # Of its two ways to prove who it is, the one that computes no signatures.
    client = Suprsend.with_workspace_api_key(key, key, base_url=url)

    def upsert(number: int) -> float:
        body = {
            "$email": [f"user-{number:08}@example.com"],
            "$sms": [f"+1555{number:07}"],
            "$timezone": "America/New_York",
            "$locale": "en_GB",
            "plan": "pro",
            "seats": number % 100,
        }
        sent = time.perf_counter()
        if not client.users.upsert(f"user-{number:08}", body)["distinct_id"]:
            sys.exit("the response is no profile")
        return (time.perf_counter() - sent) * 1e6

    # A thread for each call that may be under way: the SDK knows no other kind of concurrency.
    with ThreadPoolExecutor(concurrency) as pool:
        list(pool.map(upsert, range(warm_up)))
        start, cpu = time.perf_counter(), time.process_time()
        latencies = sorted(pool.map(upsert, range(warm_up, warm_up + requests)))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu

    def at(quantile: float) -> float:
        return latencies[min(len(latencies) - 1, int(len(latencies) * quantile))]

    result = {
        "requests": len(latencies),
        "seconds": seconds,
        "cpu_seconds": cpu,
        "p50_us": at(0.5),
        "p99_us": at(0.99),
        "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
