"""The requests of each workload, as lines for the load generator: method, path and body, told apart by tabs."""

import json
import random
import urllib.parse

import synthea

CYCLE = ["Patient", "Organization", "Practitioner", "Encounter", "Observation", "MedicationRequest", "Claim", "ExplanationOfBenefit"]
CHOICE = random.Random(7)


def lines(method: str, paths: list[str], bodies: list[str] | None = None) -> list[str]:
    return [f"{method}\t{path}\t{bodies[n] if bodies else ''}" for n, path in enumerate(paths)]


def spread(paths: list[str], most: int = 4000) -> list[str]:
    """A shuffled choice of paths: at random, because neighbours would share pages."""
    return CHOICE.sample(paths, min(most, len(paths)))


class Loaded:
    """What the loaded Bundles hold, with the ids that the server gave."""

    def __init__(self, bundles: list[bytes], answers: list[dict]):
        self.of: dict[str, list[tuple[str, dict]]] = {}
        for body, answer in zip(bundles, answers):
            for entry, done in zip(json.loads(body)["entry"], answer["entry"]):
                kind, identity = done["response"]["location"].split("/fhir/")[-1].split("/")[:2]
                self.of.setdefault(kind, []).append((identity, entry["resource"]))

    def ids(self, kind: str) -> list[str]:
        return [identity for identity, _ in self.of.get(kind, [])]

    def count(self) -> int:
        return sum(map(len, self.of.values()))

    def reads(self) -> list[str]:
        return lines("GET", spread([f"/fhir/{kind}/{identity}" for kind, all_of in self.of.items() for identity, _ in all_of]))

    def updates(self) -> list[str]:
        """Each Observation with another value, its references as text: they named entries of a Bundle."""
        chosen = CHOICE.sample(self.of["Observation"], min(4000, len(self.of["Observation"])))
        bodies = [json.dumps({**free(resource), "id": identity, "language": "en"}, separators=(",", ":")) for identity, resource in chosen]
        return lines("PUT", [f"/fhir/Observation/{identity}" for identity, _ in chosen], bodies)

    def identifiers(self) -> list[str]:
        return lines("GET", spread([f"/fhir/Patient?identifier={quoted('urn:bench:patient|' + resource['identifier'][0]['value'])}" for _, resource in self.of["Patient"]]))

    def names(self) -> list[str]:
        return lines("GET", spread([f"/fhir/Patient?name={resource['name'][0]['family']}" for _, resource in self.of["Patient"]]))

    def observed(self, query: str) -> list[str]:
        """A search of Observations for each patient and vital sign; `{patient}` and `{code}` stand in the query."""
        paths = [f"/fhir/Observation?{query.format(patient=patient, code=quoted('http://loinc.org|' + vital[0]))}"
                 for patient in self.ids("Patient") for vital in synthea.VITALS]
        return lines("GET", spread(sorted(set(paths))))

    def everything(self) -> list[str]:
        return lines("GET", [f"/fhir/Patient/{identity}/$everything" for identity in self.ids("Patient")])

    def mix(self) -> list[str]:
        """24 parameters in turn, `_count=20`: strings, tokens, dates, quantities, composites, references."""
        pick, sct, loinc = CHOICE.choice, "http://snomed.info/sct|", "http://loinc.org|"
        patient = lambda: pick(self.ids("Patient"))
        person = lambda: pick(self.of["Patient"])[1]
        makers = [
            lambda: ("Patient", "name", person()["name"][0]["family"]), lambda: ("Patient", "family", person()["name"][0]["family"][:4]),
            lambda: ("Patient", "given", person()["name"][0]["given"][0]), lambda: ("Patient", "address-city", pick(synthea.CITIES)),
            lambda: ("Patient", "identifier", "urn:bench:patient|" + person()["identifier"][0]["value"]), lambda: ("Patient", "gender", pick(["male", "female"])),
            lambda: ("Patient", "birthdate", f"ge{pick(range(1940, 2015))}"), lambda: ("Organization", "name", "Hospital " + str(pick(range(50)))),
            lambda: ("Practitioner", "name", pick(synthea.FAMILIES)), lambda: ("Encounter", "date", f"ge{pick(range(2012, 2024))}-06"),
            lambda: ("Encounter", "class", "AMB"), lambda: ("Encounter", "subject", "Patient/" + patient()),
            lambda: ("Observation", "code", loinc + pick(synthea.VITALS)[0]), lambda: ("Observation", "category", "laboratory"),
            lambda: ("Observation", "date", f"lt{pick(range(2014, 2024))}-03-01"), lambda: ("Observation", "value-quantity", f"gt{pick(range(60, 150))}"),
            lambda: ("Observation", "code-value-quantity", loinc + f"8867-4$gt{pick(range(60, 100))}"),
            lambda: ("Observation", "component-code-value-quantity", loinc + f"8480-6$gt{pick(range(110, 150))}"),
            lambda: ("Observation", "subject", "Patient/" + patient()), lambda: ("Condition", "code", sct + pick(synthea.DISORDERS)[0]),
            lambda: ("Condition", "onset-date", f"ge{pick(range(2012, 2024))}"), lambda: ("MedicationRequest", "patient", patient()),
            lambda: ("Claim", "patient", patient()), lambda: ("ExplanationOfBenefit", "created", f"ge{pick(range(2012, 2024))}"),
        ]
        asked = [maker() for _ in range(100) for maker in makers]
        return lines("GET", [f"/fhir/{kind}?{name}={quoted(value)}&_count=20" for kind, name, value in asked])

    def cycle(self) -> list[str]:
        """Resources of the CRUD cycle, and a Location, which Synthea doesn't make."""
        place = {"resourceType": "Location", "status": "active", "name": "Ward 3", "mode": "instance", "address": {"city": "Pune", "country": "IN"},
                 "position": {"longitude": 73.85, "latitude": 18.52}, "description": "A ward. " * 20}
        kinds = [[free(resource) for _, resource in self.of[kind][:200]] for kind in CYCLE] + [[place]]
        return [json.dumps(CHOICE.choice(kind), separators=(",", ":")) for _ in range(200) for kind in kinds]


def free(resource):
    """A copy whose references to entries of a Bundle are words."""
    if isinstance(resource, dict):
        return {("display" if name == "reference" else name): free(value) for name, value in resource.items()}
    return [free(item) for item in resource] if isinstance(resource, list) else resource


def quoted(value: str) -> str:
    return urllib.parse.quote(value, safe="")


def patients(first: int, count: int) -> list[str]:
    """Creates of Patients whose references are words."""
    bodies = [json.dumps(free(json.loads(body)["entry"][2]["resource"]), separators=(",", ":")) for body in synthea.bundles(first, count, small=True)]
    return lines("POST", ["/fhir/Patient"] * count, bodies)
