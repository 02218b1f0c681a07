// Runs a network as the benchmark of the kernels asks: for each line
// "height width times" it prints the seconds of the fastest pass on one core, and
// the sum of the first output.
import { createInterface } from "node:readline";
import { InferenceSession, Tensor } from "onnxruntime-node";

const session = await InferenceSession.create(process.argv[2], { intraOpNumThreads: 1, interOpNumThreads: 1 });
for await (const line of createInterface({ input: process.stdin })) {
  const [height, width, times] = line.split(" ").map(Number);
  const size = height * width;
  const x = new Float32Array(3 * size);
  for (let i = 0; i < 3 * size; i++) x[(i % 3) * size + Math.floor(i / 3)] = (((i * 7) % 256) / 255 - 0.5) * 4;
  const image = new Tensor("float32", x, [1, 3, height, width]);
  let best = Infinity;
  let out;
  for (let i = 0; i < times; i++) {
    const start = process.hrtime.bigint();
    out = await session.run({ image });
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1e9);
  }
  console.log(best, out[session.outputNames[0]].data.reduce((a, b) => a + b, 0));
}
