// A job that needs one other service: `client.js LIBRARY [STYLE]`.
const { HOST, PORT, URL: url } = process.env
const port = Number(PORT)
const library = async (name) => import(name).then((m) => m.default ?? m)

const calls = {
  'node-fetch': async () => {
    const fetch = await library('node-fetch')
    const answer = await fetch(url, { signal: AbortSignal.timeout(3000) })
    if (!answer.ok) throw new Error(`HTTP ${answer.status} ${answer.statusText}`)
    await answer.text()
  },
  superagent: async () => (await library('superagent')).get(url).timeout({ response: 3000, deadline: 4000 }),
  needle: async () => {
    const answer = await (await library('needle'))('get', url, { open_timeout: 3000, read_timeout: 3000, response_timeout: 3000 })
    if (answer.statusCode >= 400) throw new Error(`unexpected status code: ${answer.statusCode}`)
  },
  ky: async () => (await library('ky')).get(url, { timeout: 3000, retry: 0 }).json(),
  postgres: async () => (await library('postgres'))({ host: HOST, port, user: 'app', connect_timeout: 3, max: 1 })`select 1`,
  mariadb: async () => (await import('mariadb')).createConnection({ host: HOST, port, user: 'app', connectTimeout: 3000 }),
  mqtt: async () => (await library('mqtt')).connectAsync(`mqtt://${HOST}:${PORT}`, { connectTimeout: 3000, reconnectPeriod: 0 }, false),
  memjs: async () => (await library('memjs')).Client.create(`${HOST}:${PORT}`, { timeout: 2, retries: 1 }).get('rates'),
  cassandra: async () => {
    const cassandra = await library('cassandra-driver')
    await new cassandra.Client({
      contactPoints: [`${HOST}:${PORT}`], localDataCenter: 'eu', socketOptions: { connectTimeout: 2500, readTimeout: 2500 },
    }).connect()
  },
  ssh2: async () => {
    const { Client } = await library('ssh2')
    await new Promise((resolve, reject) =>
      new Client().on('ready', resolve).on('error', reject).on('close', () => reject(new Error('connection closed')))
        .connect({ host: HOST, port, username: 'sync', password: 'x', readyTimeout: 3000 }))
  },
  sqs: async () => {
    const { SQSClient, ListQueuesCommand } = await import('@aws-sdk/client-sqs')
    const credentials = { accessKeyId: 'x', secretAccessKey: 'x' }
    const client = new SQSClient({
      endpoint: `http://${HOST}:${PORT}`, region: 'eu-west-1', credentials, maxAttempts: 1, requestHandler: { connectionTimeout: 2000, requestTimeout: 2000 },
    })
    await client.send(new ListQueuesCommand({}))
  },
  tedious: async () => {
    const { Connection } = await library('tedious')
    const connection = new Connection({ server: HOST, options: { port, connectTimeout: 3000, encrypt: false }, authentication: { type: 'default', options: { userName: 'sa', password: 'x' } } })
    await new Promise((resolve, reject) => connection.connect((e) => (e ? reject(e) : resolve())))
  },
  typeorm: async () => {
    const { DataSource } = await import('typeorm')
    await new DataSource({ type: 'postgres', host: HOST, port, username: 'app', database: 'orders', extra: { connectionTimeoutMillis: 2500 } }).initialize()
  },
}

const [, , name, style] = process.argv
console.log('export job 5.1 starting')
if (style === 'uncaught') await calls[name]()
const bunyan = style === 'bunyan' && (await library('bunyan')).createLogger({ name: 'export' })
try {
  await calls[name]()
} catch (e) {
  if (style === 'bunyan') bunyan.error(e, 'export failed')
  else if (style === 'stack') console.error(e.stack)
  else if (style === 'line') console.error(`${new Date().toISOString()} ERROR export failed: ${e.message}`)
  else if (style === 'json') console.error(JSON.stringify({ severity: 'ERROR', message: 'export failed', error: { name: e.name, code: e.code, message: e.message } }))
  process.exitCode = 1
  setTimeout(() => process.exit(1), 50)
}
