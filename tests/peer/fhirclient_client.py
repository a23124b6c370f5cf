"""Somebody else's client (PyPI fhirclient, SMART's own) against a running server: its typed models parse what it reads.

Arguments: the FHIR base URL and a bearer token. Ends with a line of JSON.
"""

import json
import sys

from fhirclient import client
from fhirclient.models.humanname import HumanName
from fhirclient.models.observation import Observation
from fhirclient.models.patient import Patient


def main() -> None:
    base, token = sys.argv[1], sys.argv[2]
    smart = client.FHIRClient(settings={"app_id": "seva-tests", "api_base": base})
    smart.server.session.headers["Authorization"] = f"Bearer {token}"
    smart.prepare()
    everyone = list(Patient.where({"_count": "3"}).perform_resources_iter(smart.server))
    patient = Patient({"gender": "other"})
    patient.name = [HumanName({"family": "Smart", "given": ["Peer"]})]
    created = patient.create(smart.server)
    again = Patient.read(created["id"], smart.server)
    again.active = True
    again.update(smart.server)
    found = Patient.where({"family:exact": "Smart"}).perform_resources(smart.server)
    temperatures = Observation.where({"code": "http://loinc.org|8310-5"}).perform_resources(smart.server)
    again.delete(smart.server)
    left = Patient.where({"family": "Smart"}).perform_resources(smart.server)
    print(json.dumps({
        "software": smart.server.capabilityStatement.software.name, "all": len(everyone), "active": [one.active for one in found],
        "name": smart.human_name(found[0].name[0]), "readings": all(one.valueQuantity.unit for one in temperatures), "left": len(left),
    }))


main()
