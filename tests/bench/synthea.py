"""Synthea-like patients: transaction Bundles of one patient each, the same ones for the same seed.

Shapes and sizes follow Synthea's: a patient with some 290 resources (encounters, vital signs and laboratory values,
conditions, prescriptions, procedures, immunizations, reports, claims and their explanations). All content is invented here.
"""

import base64
import json
import random
import uuid

LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
FAMILIES = [a + b for a in ("Desh", "Kul", "Jo", "Pat", "Kel", "Na", "Sha", "Bha", "Ga", "Mo") for b in ("pande", "karni", "shi", "il", "kar", "ik", "rma", "gat")]
GIVENS = [a + b for a in ("An", "As", "Su", "Ra", "Vi", "Me", "Pri", "Ki", "De", "La") for b in ("ita", "ha", "nil", "jesh", "kas", "ra", "ya", "ran")]
CITIES = ["Pune", "Mumbai", "Nagpur", "Nashik", "Satara", "Kolhapur"]
VITALS = [("8302-2", "Body height", "cm", 150, 185), ("29463-7", "Body weight", "kg", 45, 95), ("39156-5", "Body mass index", "kg/m2", 18, 34),
          ("8867-4", "Heart rate", "/min", 55, 110), ("9279-1", "Respiratory rate", "/min", 11, 22), ("8310-5", "Body temperature", "Cel", 36, 40),
          ("2708-6", "Oxygen saturation", "%", 92, 100), ("72514-3", "Pain severity", "{score}", 0, 8)]
LABS = [("2339-0", "Glucose", "mg/dL", 65, 180), ("6299-2", "Urea nitrogen", "mg/dL", 7, 21), ("38483-4", "Creatinine", "mg/dL", 1, 4), ("49765-1", "Calcium", "mg/dL", 8, 11),
        ("2947-0", "Sodium", "mmol/L", 135, 146), ("6298-4", "Potassium", "mmol/L", 3, 6), ("2069-3", "Chloride", "mmol/L", 100, 112), ("4548-4", "Hemoglobin A1c", "%", 4, 10),
        ("2093-3", "Total cholesterol", "mg/dL", 150, 280), ("718-7", "Hemoglobin", "g/dL", 10, 17)]
DISORDERS = [("38341003", "Hypertensive disorder"), ("44054006", "Type 2 diabetes mellitus"), ("195967001", "Asthma"), ("10509002", "Acute bronchitis"), ("444814009", "Viral sinusitis")]
MEDICINES = [("314076", "lisinopril 10 MG Oral Tablet"), ("860975", "metformin 500 MG Oral Tablet"), ("313782", "acetaminophen 325 MG Oral Tablet"), ("308182", "amoxicillin 250 MG Oral Capsule")]


def concept(system: str, code: str, words: str) -> dict:
    return {"coding": [{"system": system, "code": code, "display": words}], "text": words}


class Patient:
    """Builds the Bundle of one patient: `seed` decides everything in it; `small` keeps to a dozen resources."""

    def __init__(self, seed: int, small: bool = False):
        self.random, self.seed, self.small = random.Random(seed), seed, small
        self.entries: list[dict] = []

    def place(self, resource: dict) -> dict:
        """Adds an entry; returns a reference to it."""
        full = "urn:uuid:" + str(uuid.UUID(int=self.random.getrandbits(128), version=4))
        self.entries.append({"fullUrl": full, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}})
        return {"reference": full}

    def day(self) -> str:
        r = self.random
        return f"{r.randint(2012, 2024)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}T{r.randint(8, 18):02}:{r.randint(0, 59):02}:{r.randint(0, 59):02}+05:30"

    def bundle(self) -> dict:
        r = self.random
        family, given = r.choice(FAMILIES), r.choice(GIVENS)
        self.hospital = self.place(self.organization())
        self.doctor = self.place(self.practitioner())
        self.patient = self.place(self.person(family, given))
        for _ in range(1 if self.small else r.randint(12, 20)):
            self.visit()
        return {"resourceType": "Bundle", "type": "transaction", "entry": self.entries}

    def organization(self) -> dict:
        return {"resourceType": "Organization", "identifier": [{"system": "urn:bench:organization", "value": str(self.seed % 50)}], "active": True,
                "type": [concept("http://terminology.hl7.org/CodeSystem/organization-type", "prov", "Healthcare Provider")], "name": f"Hospital {self.seed % 50}",
                "telecom": [{"system": "phone", "value": "+91 20 5550 100"}], "address": [{"line": ["1 Station Road"], "city": "Pune", "country": "IN"}]}

    def practitioner(self) -> dict:
        r = self.random
        return {"resourceType": "Practitioner", "identifier": [{"system": "urn:bench:practitioner", "value": str(self.seed % 200)}], "active": True,
                "name": [{"family": r.choice(FAMILIES), "given": [r.choice(GIVENS)], "prefix": ["Dr."]}], "gender": r.choice(["male", "female"])}

    def person(self, family: str, given: str) -> dict:
        r = self.random
        return {"resourceType": "Patient", "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Generated for a benchmark.</div>"},
                "identifier": [{"system": "urn:bench:patient", "value": f"P{self.seed}"}, {"type": concept("http://terminology.hl7.org/CodeSystem/v2-0203", "MR", "Medical Record Number"),
                               "system": "urn:bench:mrn", "value": str(uuid.UUID(int=r.getrandbits(128), version=4))}],
                "name": [{"use": "official", "family": f"{family}{self.seed % 97}", "given": [f"{given}{self.seed % 89}"], "prefix": ["Ms."]}],
                "telecom": [{"system": "phone", "value": f"+91 98{r.randint(10000000, 99999999)}", "use": "home"}], "gender": r.choice(["male", "female"]),
                "birthDate": f"{r.randint(1930, 2020)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}",
                "address": [{"line": [f"{r.randint(1, 900)} Lakshmi Road"], "city": r.choice(CITIES), "state": "Maharashtra", "postalCode": str(r.randint(411001, 445999)), "country": "IN"}],
                "maritalStatus": concept("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "M", "Married"), "multipleBirthBoolean": False,
                "communication": [{"language": concept("urn:ietf:bcp:47", "mr", "Marathi")}], "generalPractitioner": [self.doctor], "managingOrganization": self.hospital}

    def visit(self) -> None:
        r, day = self.random, self.day()
        encounter = self.place({"resourceType": "Encounter", "status": "finished", "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
                                "type": [concept(SNOMED, "162673000", "General examination of patient")], "subject": self.patient,
                                "participant": [{"individual": self.doctor, "period": {"start": day, "end": day}}], "period": {"start": day, "end": day}, "serviceProvider": self.hospital})
        about = {"subject": self.patient, "encounter": encounter}
        vitals = [self.value("vital-signs", "Vital signs", row, day, about) for row in VITALS[: 4 if self.small else 8]]
        self.place(self.pressure(day, about))
        if self.small:
            return
        labs = [self.value("laboratory", "Laboratory", row, day, about) for row in r.sample(LABS, 3)]
        self.place({"resourceType": "DiagnosticReport", "status": "final", "category": [concept("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB", "Laboratory")],
                    "code": concept(LOINC, "51990-0", "Basic metabolic panel"), **about, "effectiveDateTime": day, "issued": day, "performer": [self.hospital], "result": labs + vitals[:1],
                    "presentedForm": [{"contentType": "text/plain", "data": base64.b64encode(b"Nothing of note was found on this visit. " * 8).decode()}]})
        code = r.choice(DISORDERS)
        condition = self.place({"resourceType": "Condition", "clinicalStatus": concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
                                "verificationStatus": concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed", "Confirmed"),
                                "category": [concept("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis", "Encounter Diagnosis")],
                                "code": concept(SNOMED, *code), **about, "onsetDateTime": day, "recordedDate": day})
        self.place({"resourceType": "MedicationRequest", "status": "active", "intent": "order", "medicationCodeableConcept": concept("http://www.nlm.nih.gov/research/umls/rxnorm", *r.choice(MEDICINES)),
                    **about, "authoredOn": day, "requester": self.doctor, "reasonReference": [condition],
                    "dosageInstruction": [{"sequence": 1, "text": "1 tablet twice a day", "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d"}},
                                           "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}]}]})
        self.place({"resourceType": "Procedure", "status": "completed", "code": concept(SNOMED, "430193006", "Medication reconciliation"), **about, "performedPeriod": {"start": day, "end": day}})
        if r.random() < 0.4:
            self.place({"resourceType": "Immunization", "status": "completed", "vaccineCode": concept("http://hl7.org/fhir/sid/cvx", "140", "Influenza, seasonal"),
                        "patient": self.patient, "encounter": encounter, "occurrenceDateTime": day, "primarySource": True})
        self.bill(encounter, condition, day)

    def value(self, category: str, words: str, row: tuple, day: str, about: dict) -> dict:
        code, name, unit, low, high = row
        return self.place({"resourceType": "Observation", "status": "final", "category": [concept("http://terminology.hl7.org/CodeSystem/observation-category", category, words)],
                           "code": concept(LOINC, code, name), **about, "effectiveDateTime": day, "issued": day,
                           "valueQuantity": {"value": round(self.random.uniform(low, high), 2), "unit": unit, "system": UCUM, "code": unit}})

    def pressure(self, day: str, about: dict) -> dict:
        part = lambda code, name, low, high: {"code": concept(LOINC, code, name), "valueQuantity": {"value": self.random.randint(low, high), "unit": "mm[Hg]", "system": UCUM, "code": "mm[Hg]"}}
        return {"resourceType": "Observation", "status": "final", "category": [concept("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital signs")],
                "code": concept(LOINC, "85354-9", "Blood pressure panel"), **about, "effectiveDateTime": day, "issued": day,
                "component": [part("8462-4", "Diastolic blood pressure", 60, 95), part("8480-6", "Systolic blood pressure", 100, 160)]}

    def bill(self, encounter: dict, condition: dict, day: str) -> None:
        kind = concept("http://terminology.hl7.org/CodeSystem/claim-type", "professional", "Professional")
        total = {"value": round(self.random.uniform(80, 4000), 2), "currency": "INR"}
        base = {"status": "active", "type": kind, "use": "claim", "patient": self.patient, "billablePeriod": {"start": day, "end": day}, "created": day, "provider": self.hospital}
        items = [{"sequence": n + 1, "productOrService": concept(SNOMED, "162673000", "General examination of patient"), "encounter": [encounter]} for n in range(3)]
        cover = [{"sequence": 1, "focal": True, "coverage": {"display": "Family floater"}}]
        claim = self.place({"resourceType": "Claim", **base, "priority": concept("http://terminology.hl7.org/CodeSystem/processpriority", "normal", "Normal"),
                            "diagnosis": [{"sequence": 1, "diagnosisReference": condition}], "insurance": cover, "item": items, "total": total})
        shares = [{"category": concept("http://terminology.hl7.org/CodeSystem/adjudication", code, code), "amount": total} for code in ("submitted", "eligible", "benefit")]
        insurance = [{"focal": True, "coverage": {"display": "Family floater"}}]
        self.place({"resourceType": "ExplanationOfBenefit", **base, "insurer": {"display": "Insurer"}, "outcome": "complete", "claim": claim, "insurance": insurance,
                    "item": [{**item, "adjudication": shares} for item in items], "total": [{"category": shares[0]["category"], "amount": total}]})


def bundles(first: int, count: int, small: bool = False) -> list[bytes]:
    """The transaction Bundles of `count` patients as JSON, from number `first` on."""
    return [json.dumps(Patient(number, small).bundle(), separators=(",", ":")).encode() for number in range(first, first + count)]
