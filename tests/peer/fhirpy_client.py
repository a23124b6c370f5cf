"""Somebody else's client (PyPI fhirpy) against a running server: lists, pages, creates, updates, deletes.

Arguments: the FHIR base URL and a bearer token. Ends with a line of JSON.
"""

import json
import sys

from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import ResourceNotFound


def main() -> None:
    base, token = sys.argv[1], sys.argv[2]
    client = SyncFHIRClient(base, authorization=f"Bearer {token}")
    patients = client.resources("Patient")
    first_page = patients.limit(3).fetch()
    everyone = patients.limit(3).fetch_all()
    created = client.resource("Patient", name=[{"family": "Peer", "given": ["Client"]}], gender="other")
    created.save()
    created["birthDate"] = "1999-12-31"
    created.save()
    again = client.reference("Patient", created["id"]).to_resource()
    found = patients.search(family="peer").fetch_all()
    created.delete()
    try:
        client.reference("Patient", created["id"]).to_resource()
        gone = False
    except ResourceNotFound:
        gone = True
    except Exception as error:  # fhirpy has no class of its own for 410
        gone = "deleted" in str(error)
    print(json.dumps({
        "first": len(first_page), "all": len(everyone), "birthDate": again["birthDate"],
        "version": again["meta"]["versionId"], "found": len(found), "gone": gone,
    }))


main()
