// A service that needs one other service to start: `client.js LIBRARY [STYLE]`.
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import tls from 'node:tls'

const { HOST, PORT, URL: url, FAULT } = process.env
const port = Number(PORT)
const library = async (name) => import(name).then((m) => m.default ?? m)

const calls = {
  async fetch() {
    const answer = await fetch(url, { signal: AbortSignal.timeout(3000) })
    if (!answer.ok) throw new Error(`rates answered ${answer.status} ${answer.statusText}`)
    return answer.json()
  },
  get: () =>
    new Promise((resolve, reject) => {
      const request = (url.startsWith('https') ? https : http).get(url, (answer) => {
        if (answer.statusCode >= 400) return reject(new Error(`HTTP ${answer.statusCode} from ${url}`))
        answer.on('error', reject).on('data', () => {}).on('end', resolve)
      })
      request.on('error', reject).setTimeout(3000, () => request.destroy(new Error('request timed out')))
    }),
  axios: async () => (await (await library('axios')).get(url, { timeout: 3000, signal: AbortSignal.timeout(5000) })).data,
  got: async () => (await library('got')).get(url, { timeout: { request: 3000 }, retry: { limit: 0 } }).json(),
  undici: async () => {
    const { request } = await import('undici')
    const answer = await request(url, { headersTimeout: 3000, bodyTimeout: 3000 })
    if (answer.statusCode >= 400) throw new Error('Response status code ' + answer.statusCode)
    return answer.body.json()
  },
  net: () =>
    new Promise((resolve, reject) => {
      const socket = net.connect(port, HOST, () => socket.write('PING\r\n'))
      socket.setTimeout(3000, () => socket.destroy(new Error('socket timeout')))
      socket.on('error', reject).on('data', resolve)
      socket.on('end', () => reject(new Error('server closed the connection unexpectedly')))
    }),
  pg: async () => {
    const { Client } = await library('pg')
    const client = new Client({ host: HOST, port, user: 'app', database: 'orders', connectionTimeoutMillis: 3000 })
    await client.connect()
  },
  ioredis: async () => {
    const Redis = await library('ioredis')
    const redis = new Redis(port, HOST, { maxRetriesPerRequest: 2, connectTimeout: 1500 })
    redis.on('error', (e) => console.error('[ioredis] connection error:', e.message))
    await redis.get('rates')
  },
  redis: async () => {
    const { createClient } = await import('redis')
    await createClient({ socket: { host: HOST, port, connectTimeout: 3000, reconnectStrategy: false } }).connect()
  },
  mysql2: async () => {
    const mysql = await import('mysql2/promise')
    await mysql.createConnection({ host: HOST, port, user: 'app', database: 'orders', connectTimeout: 3000 })
  },
  amqplib: async () => (await library('amqplib')).connect(`amqp://${HOST}:${PORT}`, { timeout: 3000 }),
  kafkajs: async () => {
    const { Kafka, logLevel } = await import('kafkajs')
    const kafka = new Kafka({
      brokers: [`${HOST}:${PORT}`], connectionTimeout: 1500, requestTimeout: 1500, retry: { retries: 1 }, logLevel: logLevel.ERROR,
    })
    await kafka.producer().connect()
  },
  mongodb: async () => {
    const { MongoClient } = await import('mongodb')
    await new MongoClient(`mongodb://${HOST}:${PORT}/orders`, { serverSelectionTimeoutMS: 3000 }).connect()
  },
  grpc: async () => {
    const grpc = await library('@grpc/grpc-js')
    const client = new grpc.Client(`${HOST}:${PORT}`, grpc.credentials.createInsecure())
    const plain = (b) => b
    await new Promise((resolve, reject) =>
      client.makeUnaryRequest('/rates.Rates/Get', plain, plain, Buffer.alloc(0), new grpc.Metadata(),
        { deadline: Date.now() + 3000 }, (e, answer) => (e ? reject(e) : resolve(answer))))
  },
  nodemailer: async () => {
    const mailer = await library('nodemailer')
    await mailer.createTransport({ host: HOST, port, connectionTimeout: 3000, greetingTimeout: 3000 }).verify()
  },
  ws: async () => {
    const WebSocket = await library('ws')
    const feed = new WebSocket(`ws://${HOST}:${PORT}/feed`, { handshakeTimeout: 3000 })
    await new Promise((resolve) => feed.on('open', resolve)) // nobody listens to 'error'
  },
  nats: async () => (await import('nats')).connect({ servers: `${HOST}:${PORT}`, timeout: 3000, reconnect: false }),
  elasticsearch: async () => {
    const { Client } = await import('@elastic/elasticsearch')
    await new Client({ node: `http://${HOST}:${PORT}`, requestTimeout: 2000, maxRetries: 0 }).info()
  },
  knex: async () => {
    const db = (await library('knex'))({
      client: 'pg', acquireConnectionTimeout: 4000,
      connection: { host: HOST, port, user: 'app', database: 'orders', connectionTimeoutMillis: 2000 },
    })
    await db.raw('select 1')
  },
  sequelize: async () => {
    const { Sequelize } = await import('sequelize')
    const options = { dialect: 'postgres', host: HOST, port, logging: false, dialectOptions: { connectionTimeoutMillis: 2500 } }
    await new Sequelize('orders', 'app', null, options).authenticate()
  },
  itself: {
    'own-listener': () => http.createServer().listen(port),
    'own-certificate': () => https.createServer({ key: 'none', cert: '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----' }),
    'missing-file': () => fs.readFileSync('/etc/rates/config.json'),
    'missing-setting': () => {
      if (!process.env.LEDGER_URL) throw new Error('LEDGER_URL must be set')
    },
    'denied-file': () => fs.readFileSync('/etc/shadow'),
    'disk-full': () => fs.writeFileSync('/dev/full', 'x'.repeat(100_000)),
    memory: () => {
      const kept = []
      for (;;) kept.push(new Array(10_000).fill(Math.random()))
    },
    bug: () => JSON.parse('{"orders": [').orders.length,
  }[FAULT],
}

const [, , name, style = 'uncaught'] = process.argv
const call = calls[name]
console.log('rates 3.1.0 starting')
console.log('refresh every 30 s, pricing table v7 loaded')
const pino = style === 'pino' && (await library('pino'))()
const winston = style === 'winston' && (await library('winston'))
switch (style) {
  case 'uncaught':
    await call()
    break
  case 'console':
    await call().catch((e) => {
      console.error('Failed to load rates:', e)
      process.exit(1)
    })
    break
  case 'message':
    await call().catch((e) => {
      console.error(`[error] rates: ${e.message}`)
      process.exit(1)
    })
    break
  case 'pino':
    pino.info({ component: 'rates' }, 'starting')
    await call().catch((err) => {
      pino.fatal({ err }, 'rates could not be loaded')
      process.exit(1)
    })
    break
  case 'winston': {
    const log = winston.createLogger({
      transports: [new winston.transports.Console()],
      format: winston.format.combine(winston.format.timestamp(), winston.format.simple()),
    })
    log.info('connecting')
    await call().catch((e) => {
      log.error(`startup failed: ${e.message}`)
      log.end(() => process.exit(1))
    })
    break
  }
  case 'cause':
    await call().catch((cause) => {
      throw new Error('rates could not be loaded', { cause })
    })
    break
  case 'retried':
    for (let attempt = 1; ; attempt++) {
      try {
        await call()
      } catch (e) {
        if (attempt === 3) throw e
        console.warn(`attempt ${attempt} failed (${e.code ?? e.message}), retrying`)
      }
    }
  case 'survived':
    await call().catch((e) => console.warn(`WARN rates not refreshed (${e.message}), using cached ones`))
    console.log('listening on 8080')
    console.log('42 orders priced in 180 ms')
    console.log([{ id: 17 }].map((order) => order.lines.length))
}
