// Runs calls of the AWS SDK for JavaScript v3 for the integration tests. Reads
// and writes the same lines of JSON as python/driver.py, and heeds the same
// DRIVER_ATTEMPTS.
import { createInterface } from 'node:readline'
import * as lookoutvision from '@aws-sdk/client-lookoutvision'
import * as rekognition from '@aws-sdk/client-rekognition'
import * as s3 from '@aws-sdk/client-s3'

const modules = { lookoutvision, rekognition, s3 }
const classes = { lookoutvision: 'LookoutVisionClient', rekognition: 'RekognitionClient', s3: 'S3Client' }
const clients = {}

function clientOf(service) {
  clients[service] ??= new modules[service][classes[service]]({
    endpoint: process.env.AWS_ENDPOINT_URL,
    region: process.env.AWS_REGION,
    forcePathStyle: true,
    maxAttempts: Number(process.env.DRIVER_ATTEMPTS ?? 1),
  })
  return clients[service]
}

const dates = new Set(['BeforeCreationDate', 'AfterCreationDate'])
const blobs = new Set(['Changes', 'GroundTruth', 'Bytes'])

// typed turns the text of dates and blobs into what the SDK wants.
function typed(value, name) {
  if (Array.isArray(value)) return value.map((v) => typed(v, name))
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, typed(v, k)]))
  }
  if (dates.has(name)) return new Date(value)
  if (typeof value === 'string' && value.startsWith('base64:')) return Buffer.from(value.slice(7), 'base64')
  if (blobs.has(name)) return Buffer.from(value)
  return value
}

// plain turns what the SDK returns into what JSON can say.
async function plain(value) {
  if (value instanceof Date) return value.getTime() / 1000
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (value?.transformToString) return value.transformToString()
  if (Array.isArray(value)) return Promise.all(value.map(plain))
  if (value && typeof value === 'object') {
    const out = {}
    for (const [k, v] of Object.entries(value)) {
      if (k !== '$metadata' && v !== undefined) out[k] = await plain(v)
    }
    return out
  }
  return value
}

async function call({ service, operation, input }) {
  const command = new modules[service][operation + 'Command'](typed(input))
  try {
    const answer = await clientOf(service).send(command)
    return { out: await plain(answer), request_id: answer.$metadata.requestId ?? '' }
  } catch (e) {
    if (!e.$metadata?.httpStatusCode) throw e
    const { name, message, $metadata, $fault, $service, $response, $retryable, ...fields } = e
    return {
      error: { code: name, status: $metadata.httpStatusCode, message: e.message, class: e.constructor.name, fields: await plain(fields) },
      request_id: $metadata.requestId ?? '',
    }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer
  try {
    answer = await call(JSON.parse(line))
  } catch (e) {
    answer = { fault: e.stack ?? String(e) }
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
