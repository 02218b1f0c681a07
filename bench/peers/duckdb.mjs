// Copies a manifest to Parquet with DuckDB: usage: node duckdb.mjs IN OUT.
// Prints one line of JSON: seconds, rows, bytes written, peak memory in bytes.
import { readFileSync, rmSync, statSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'

const [input, output] = process.argv.slice(2)
const quote = (s) => `'${s.replaceAll("'", "''")}'`
const db = await (await DuckDBInstance.create()).connect()

const start = performance.now()
const copied = await db.runAndReadAll(`
  COPY (
    SELECT json ->> '$."source-ref"' AS source_ref,
           json ->> '$."BB-metadata"."creation-date"' AS creation_date,
           json AS line
    FROM read_ndjson_objects(${quote(input)})
  ) TO ${quote(output)} (FORMAT parquet, COMPRESSION zstd)`)
const seconds = (performance.now() - start) / 1000

const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024
console.log(JSON.stringify({
  seconds, rows: Number(copied.getRows()[0][0]), bytes: statSync(output).size, peak,
}))
rmSync(output)
