// What every client is given to do, what it did over the network, and how it tells.
//
//     node CLIENT.mjs '{"url": ..., "mobile": {"query": ..., "variables": ...}, ...}'

export const work = JSON.parse(process.argv[2]);

// Each request as it went out, and what came back for it.
export const requests = [];

export async function counted(input, init = {}) {
  const request = new Request(input, init);
  const sent = request.body ? await request.clone().text() : null;
  const response = await fetch(request);
  requests.push({
    method: request.method,
    accept: request.headers.get('accept'),
    url: request.url,
    body: sent,
    status: response.status,
    type: response.headers.get('content-type'),
  });
  return response;
}

// Caches ask for the type of every object; an answer is compared without those.
export function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([key]) => !key.startsWith('__'));
  return Object.fromEntries(entries.map(([key, each]) => [key, plain(each)]));
}

export function tell(found) {
  console.log(JSON.stringify({ ...found, requests }));
}
