// Somebody else's client (npm fhir-kit-client) against a running server: capabilities, search and its pages, conditional create,
// patch, versions, compartment, batch, operation, references, delete. Arguments: the FHIR base URL and a bearer token.
async function main(baseUrl, bearerToken) {
  const { Client, CapabilityTool } = await import('fhir-kit-client');
  const client = new Client({ baseUrl, bearerToken });
  const statement = await client.capabilityStatement();
  const tool = new CapabilityTool(statement);
  let page = await client.resourceSearch({ resourceType: 'Patient', searchParams: { _count: 3, _sort: 'birthdate' } });
  let all = 0;
  while (page) {
    all += page.entry.length;
    page = await client.nextPage({ bundle: page });
  }
  const body = { resourceType: 'Patient', identifier: [{ system: 'urn:peer', value: 'kit' }], name: [{ family: 'Kit' }] };
  const once = { headers: { 'If-None-Exist': 'identifier=urn:peer|kit' } };
  const created = await client.create({ resourceType: 'Patient', body, options: once });
  const same = await client.create({ resourceType: 'Patient', body, options: once });
  const patched = await client.patch({ resourceType: 'Patient', id: created.id, jsonPatch: [{ op: 'add', path: '/gender', value: 'other' }] });
  const first = await client.vread({ resourceType: 'Patient', id: created.id, version: '1' });
  const versions = await client.resourceHistory({ resourceType: 'Patient', id: created.id });
  const observation = await client.create({ resourceType: 'Observation', body: {
    resourceType: 'Observation', status: 'final', code: { text: 'Weight' }, subject: { reference: `Patient/${created.id}` } } });
  const compartment = await client.compartmentSearch({ resourceType: 'Observation', compartment: { resourceType: 'Patient', id: created.id } });
  const resolved = await client.resolve({ reference: observation.subject.reference });
  const batch = await client.batch({ body: { resourceType: 'Bundle', type: 'batch', entry: [{ request: { method: 'GET', url: `Patient/${created.id}` } }] } });
  const everything = await client.operation({ name: '$everything', resourceType: 'Patient', id: created.id, method: 'get' });
  await client.delete({ resourceType: 'Observation', id: observation.id });
  await client.delete({ resourceType: 'Patient', id: created.id });
  const gone = await client.read({ resourceType: 'Patient', id: created.id }).then(() => 'there', (error) => error.response.status);
  console.log(JSON.stringify({
    software: statement.software.name, able: tool.serverCan('transaction') && tool.resourceCan('Patient', 'patch') && tool.resourceSearch('Patient', 'birthdate'),
    all, same: same.id === created.id, gender: patched.gender, before: first.gender ?? null, versions: versions.entry.length,
    compartment: compartment.entry.length, resolved: resolved.id === created.id, batch: batch.entry[0].response.status.slice(0, 3), everything: everything.entry.length, gone,
  }));
}

main(process.argv[2], process.argv[3]).catch((error) => { console.error(error, error.response?.data); process.exit(1); });
