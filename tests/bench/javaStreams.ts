import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { KafkaUnderTest, kafkaMissing } from '../support/kafka.ts';

const PROJECT = join(process.cwd(), 'infra/kafka-streams-bench');
const RUN_TIMEOUT_MS = 900_000;

/** What a run of a workload gave. */
export interface Outcome {
  readonly recordsPerSecond: number;
  readonly outputs: number;
  /** Most memory the process held. */
  readonly residentMiB: number;
}

/** Kafka Streams, running the workloads in processes of its own: on a broker that was started for it, or in its test driver. */
export class JavaStreams {
  readonly kafka: KafkaUnderTest;

  private constructor(kafka: KafkaUnderTest) {
    this.kafka = kafka;
  }

  /** Why it cannot run here, or false. */
  static missing(): string | false {
    const maven = spawnSync('mvn', ['-v'], { stdio: 'ignore' }).status === 0;
    return (
      kafkaMissing() || (maven ? false : 'Maven (mvn), which builds infra/kafka-streams-bench, is not here')
    );
  }

  /** @throws Error where Maven or Java fail */
  static async start(): Promise<JavaStreams> {
    const built = spawnSync('mvn', ['-q', '-B', 'package'], { cwd: PROJECT, stdio: 'inherit' });
    if (built.status !== 0)
      throw new Error('infra/kafka-streams-bench was not built; it needs Java 17 and Maven');
    return new JavaStreams(await KafkaUnderTest.start());
  }

  async #run<T>(main: string, args: readonly string[]): Promise<T> {
    const { stdout } = await promisify(execFile)(
      'java',
      [
        '-Xmx1g',
        // The test driver syncs its stores after each record: on a disk that takes most of the time.
        ...(args[0] === 'driver' && existsSync('/dev/shm') ? ['-Djava.io.tmpdir=/dev/shm'] : []),
        '-cp',
        `${join(PROJECT, 'target/classes')}:${join(PROJECT, 'target/dependency')}/*`,
        `opentape.bench.${main}`,
        ...args,
      ],
      { timeout: RUN_TIMEOUT_MS },
    );
    return JSON.parse(stdout) as T;
  }

  /** Exactly once with commits each 100 ms, from all tasks running to the commit of the last position. */
  onBroker(workload: string, records: number): Promise<Outcome> {
    return this.#run('Main', ['broker', workload, String(records), this.kafka.brokers.join(',')]);
  }

  inDriver(workload: string, records: number): Promise<Outcome> {
    return this.#run('Main', ['driver', workload, String(records)]);
  }

  /** Restores the table of an application from its changelog, which is there already. */
  restore(
    applicationId: string,
    partitions: number,
  ): Promise<{ readonly records: number; readonly seconds: number }> {
    return this.#run('Restore', [applicationId, String(partitions), this.kafka.brokers.join(',')]);
  }

  close(): Promise<void> {
    return this.kafka.stop();
  }
}
