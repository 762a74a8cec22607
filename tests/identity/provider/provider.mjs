// A real OpenID provider for tests (panva's oidc-provider): whoever a test names next is signed in.
//
// In: `PUT /next {sub, claims, acr, amr, ago_s}` or `{error}`. Out: on its first line, the issuer.
import { createServer } from 'node:http'
import Provider from 'oidc-provider'

const redirects = process.argv.slice(2)
const server = createServer((request, response) => answer(request, response))
await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
const issuer = `http://127.0.0.1:${server.address().port}`
const people = new Map()
let next = {}

const client = (client_id, more) => ({
  client_id,
  client_secret: 'a secret of the tests, not of anybody',
  redirect_uris: redirects,
  grant_types: ['authorization_code'],
  ...more,
})
const ROLE = 'urn:example:role'
const GFIPM = ['NCICCertificationIndicator', '28CFRCertificationIndicator'].map(
  (name) => `gfipm:2.0:user:${name}`,
)
const provider = new Provider(issuer, {
  clients: [client('rtcc'), client('another', {}), client('elliptic', { id_token_signed_response_alg: 'ES256' })],
  acrValues: ['urn:example:mfa', 'urn:example:one'],
  claims: { openid: ['sub', 'auth_time', 'acr', 'amr'], profile: ['name', 'unit', ROLE, ...GFIPM] },
  conformIdTokenClaims: process.env.THIN === '1',
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'HS256', 'PS256'] },
  features: { devInteractions: { enabled: false } },
  jwks: { keys: await keys() },
  cookies: { keys: ['a test'] },
  ttl: { IdToken: 600, AuthorizationCode: 60, Interaction: 600, Session: 600, Grant: 600, AccessToken: 600 },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...people.get(sub) }) }),
})

async function keys() {
  const made = [
    await crypto.subtle.generateKey(
      { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
      true,
      ['sign', 'verify'],
    ),
    await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']),
  ]
  const exported = await Promise.all(made.map((pair) => crypto.subtle.exportKey('jwk', pair.privateKey)))
  return exported.map(({ key_ops, ext, alg, ...jwk }, n) => ({ ...jwk, use: 'sig', kid: `key-${n}` }))
}

const callback = provider.callback()

async function answer(request, response) {
  if (request.url === '/next' && request.method === 'PUT') {
    let said = ''
    for await (const piece of request) said += piece
    next = JSON.parse(said)
    if (next.sub) people.set(next.sub, next.claims ?? {})
    return response.writeHead(204).end()
  }
  if (request.url.startsWith('/interaction/')) return interact(request, response)
  return callback(request, response)
}

async function interact(request, response) {
  const { params, prompt, session } = await provider.interactionDetails(request, response)
  if (next.error) return provider.interactionFinished(request, response, { error: next.error })
  const ts = Math.floor(Date.now() / 1000) - (next.ago_s ?? 0)
  if (prompt.name === 'login') {
    const login = { accountId: next.sub, acr: next.acr, amr: next.amr, ts, remember: false }
    return provider.interactionFinished(request, response, { login })
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  grant.addOIDCScope(params.scope)
  const consent = { grantId: await grant.save() }
  return provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true })
}

console.log(issuer)
