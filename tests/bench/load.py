"""Loads numbered Patients through transaction Bundles of 500, as the bench's Lua script expects them."""

import json
import os
import sys
import urllib.request


def patient(number: int) -> dict:
    return {
        "resourceType": "Patient", "id": f"b{number}", "active": True,
        "identifier": [{"system": "urn:bench", "value": f"n{number}"}],
        "name": [{"use": "official", "text": f"Given{number} Family{number % 997}", "family": f"Family{number % 997}", "given": [f"Given{number}"]}],
        "telecom": [{"system": "phone", "value": f"+91 20 {number}"}], "gender": "female", "birthDate": f"1980-02-0{number % 9 + 1}",
        "address": [{"line": ["1 Road"], "city": "Pune", "state": "Maharashtra", "postalCode": "411001", "country": "IN"}],
    }


def main() -> None:
    rows, base = int(sys.argv[1]), sys.argv[2]
    for start in range(1, rows + 1, 500):
        entries = [
            {"resource": patient(n), "request": {"method": "PUT", "url": f"Patient/b{n}"}}
            for n in range(start, min(start + 500, rows + 1))
        ]
        body = json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode()
        headers = {"Authorization": f"Bearer {os.environ['BENCH_TOKEN']}", "Content-Type": "application/fhir+json"}
        with urllib.request.urlopen(urllib.request.Request(f"{base}/fhir", body, headers)) as answer:
            answer.read()


main()
