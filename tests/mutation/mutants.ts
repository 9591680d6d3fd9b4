/** Known bugs, each put in by hand: what is written in a file of the build, once, and what stands there instead. */

export interface Mutant {
  readonly name: string;
  /** What goes wrong with it. */
  readonly what: string;
  /** In dist/. */
  readonly file: string;
  readonly search: string;
  readonly replace: string;
}

type Change = readonly [name: string, what: string, search: string, replace: string];

function inFile(file: string, ...changes: readonly Change[]): Mutant[] {
  return changes.map(([name, what, search, replace]) => ({ name, what, file, search, replace }));
}

const OPERATORS = 'streams/dsl/processors';

export const MUTANTS: readonly Mutant[] = [
  ...inFile(
    `${OPERATORS}/windowAggregate.js`,
    [
      'window-late',
      'a late record is accepted',
      'startMs + sizeMs > closedMs)',
      'startMs + sizeMs > closedMs - 8)',
    ],
    [
      'window-grace',
      'the grace is off by one',
      'startMs + sizeMs > closedMs)',
      'startMs + sizeMs >= closedMs)',
    ],
    [
      'window-time',
      'the result has the time of the last record, not of the latest',
      'if (before.timestamp > timestamp)',
      'if (before.timestamp > timestamp + 1e15)',
    ],
  ),
  ...inFile(
    `${OPERATORS}/sessionAggregate.js`,
    ['session-late', 'a late session is accepted', 'if (endMs < closedMs)', 'if (endMs < closedMs - 8)'],
    ['session-merged', 'merged sessions stay', 'if (!stays)', 'if (!stays && merged.length > 1)'],
    ['session-gap', 'the gap is off by one', 'timestamp + gapMs)', 'timestamp + gapMs - 1)'],
  ),
  ...inFile(`${OPERATORS}/slidingAggregate.js`, [
    'sliding-end',
    'a window that ends with the record is taken for one that goes on',
    'else if (endMs > timestamp)',
    'else if (endMs >= timestamp)',
  ]),
  ...inFile(
    `${OPERATORS}/streamJoin.js`,
    [
      'unmatched-early',
      'an unmatched record is told of before its grace is over',
      'beforeMs) + graceMs >= streamTimeMs',
      'beforeMs) >= streamTimeMs',
    ],
    ['unmatched-twice', 'an unmatched record is told of again and again', 'unmatched.remove(each);', ''],
    [
      'unmatched-kept',
      'a record that found its partner stays unmatched',
      'unmatched?.matched(key, other.key, !isLeft);',
      '',
    ],
    [
      'join-window',
      'the window of a join is off by one',
      'timestamp - this.#beforeMs)',
      'timestamp - this.#beforeMs + 1)',
    ],
    [
      'join-time',
      'a result has the time of the record that came last',
      'Math.max(timestamp, other.key)',
      'timestamp',
    ],
  ),
  ...inFile(
    `${OPERATORS}/suppress.js`,
    [
      'suppress-twice',
      'an update is told of twice',
      'this.#tell(this.#buffer.first());',
      'this.#tell(this.#buffer.first()); this.#tell(this.#buffer.first());',
    ],
    [
      'suppress-early',
      'an update is not held back',
      'buffer.streamTimeMs - delayMs)',
      'buffer.streamTimeMs)',
    ],
  ),
  ...inFile('streams/dsl/internal/suppressionBuffer.js', [
    'suppress-time',
    'a suppression forgets the time with a restart',
    'this.#streamTimeMs = value.timestamp;',
    ';',
  ]),
  ...inFile(`${OPERATORS}/tableSource.js`, [
    'table-tombstone',
    'a deletion does not reach a table',
    'const { key, value } = record;\n        if (key === null)',
    'const { key, value } = record;\n        if (key === null || value === null)',
  ]),
  ...inFile(
    `${OPERATORS}/tableAggregate.js`,
    [
      'subtract',
      'an old value is not taken away',
      'if (oldValue !== null && aggregate !== null)',
      'if (oldValue !== null && aggregate !== null && newValue !== null)',
    ],
    [
      'regroup',
      'a row that changes its group stays in the old one',
      'if (before !== null)\n            send(before.key',
      'if (before === undefined)\n            send(before.key',
    ],
  ),
  ...inFile(
    `${OPERATORS}/foreignKeyJoin.js`,
    [
      'foreign-hash',
      'an answer for a row that has changed since is taken',
      'if (!sameHash(hash, present))',
      'if (false)',
    ],
    [
      'foreign-kept',
      'a row that refers to another one now is still told of the old one',
      "subscription.instruction === 'delete' ||",
      '',
    ],
  ),
  ...inFile(`${OPERATORS}/streamAggregate.js`, [
    'aggregate-time',
    'the result has the time of the last record, not of the latest',
    'if (before.timestamp > timestamp)',
    'if (before.timestamp > timestamp + 1e15)',
  ]),
  ...inFile('streams/dsl/internal/finalResults.js', [
    'final-twice',
    'what closed windows were told of is not noted',
    'this.#notes.advanceEmitted(closeMs);',
    ';',
  ]),
  ...inFile(
    'streams/task/cycleRunner.js',
    [
      'stream-time',
      'stream time is lost with a restart',
      'const times = inputs.map(',
      'const times = inputs.map(() => -1);\n                inputs.map(',
    ],
    [
      'cache-flush',
      'record caches are told of after the state was taken',
      'this.#drain();\n            this.#flushRecordCaches();\n        } while',
      'this.#drain();\n        } while',
    ],
    [
      'global-late',
      'records look into a global table that is not filled',
      '!backlogStep(this.#behindGlobal, log) &&',
      '',
    ],
    [
      'rollback',
      'tasks go on with what was rolled back',
      'const failure = this.#closeTasks(application, true);',
      'const failure = null;',
    ],
  ),
  ...inFile(
    'streams/task/streamTask.js',
    [
      'punctuation-restart',
      'a punctuation is not aligned after a restart',
      '(Math.floor(restored / intervalMs) + 1) * intervalMs',
      'restored + intervalMs',
    ],
    [
      'repartition-key',
      'a repartition record has the key of the input',
      'this.#input !== null && key === this.#inputKey && serde',
      'this.#input !== null && serde',
    ],
  ),
  ...inFile('streams/task/nodes.js', [
    'repartition-partition',
    'equal keys do not meet in one partition',
    'this.#partitionOf(keyBytes, target.partitions)',
    '(this.#partitionOf(keyBytes, target.partitions) + this.#task.partition) % target.partitions',
  ]),
  ...inFile('streams/task/backlog.js', [
    'backlog-order',
    'records of several partitions are not taken by their times',
    'a.timestamp < b.timestamp',
    'a.sequence < b.sequence',
  ]),
  ...inFile('streams/task/channel.js', [
    'delivered-early',
    'a new record is processed before those that wait',
    'if (reader.caughtUp && reader.position === record.offset)',
    'if (reader.position <= record.offset)',
  ]),
  ...inFile('streams/task/punctuation.js', [
    'punctuation-missed',
    'a punctuation that was missed fires again for each interval',
    'schedule.nextMs += (missed + 1) * schedule.intervalMs;',
    'schedule.nextMs += schedule.intervalMs;',
  ]),
  ...inFile(
    'stores/keyValueStore.js',
    [
      'deletion-lost',
      'a deletion does not reach the layer below',
      'entry.absent = value === null;',
      'entry.absent = true;',
    ],
    [
      'stale-scan',
      'a scan does not see what waits for a flush',
      'this.#checkOpen();\n        this.#writeDown();',
      'this.#checkOpen();',
    ],
  ),
  ...inFile(
    'stores/windowStore.js',
    ['retention', 'the retention is off by one', 'this.retentionMs + 1;', 'this.retentionMs + 2;'],
    [
      'window-flush',
      'windows are not sent down by a flush',
      'if (startMs < fromMs)\n                continue;',
      'if (startMs < fromMs || startMs % 20 === 0)\n                continue;',
    ],
  ),
  ...inFile('stores/windowNotes.js', [
    'lateness-restart',
    'how late a record is begins anew with a restart',
    'this.streamTimeMs = at(1);',
    'this.streamTimeMs = -1;',
  ]),
  ...inFile('stores/versionedStore.js', [
    'version-late',
    'a version too old to be kept is taken',
    'if (timestampMs < this.#oldestMs())',
    'if (timestampMs < 0)',
  ]),
  ...inFile(
    'streams/log/kafka/state/preparing.js',
    [
      'restore-offset',
      'a changelog is restored from one offset too late',
      'store.position = checkpoint.offset;',
      'store.position = checkpoint.offset + 1;',
    ],
    [
      'restore-end',
      'a store is opened before its changelog was read to the end',
      'store.target = bounds.end;',
      'store.target = bounds.end - 2;',
    ],
  ),
  ...inFile('streams/log/kafka/state/hostedStore.js', [
    'restore-tombstone',
    'a deletion in a changelog does not reach the store',
    "batch.delete('state', key);",
    ';',
  ]),
  ...inFile('streams/log/kafka/state/openChanges.js', [
    'abort-kept',
    'what an aborted transaction changed stays in the store',
    'store.overlay.discard();',
    ';',
  ]),
  ...inFile('stores/recordCache.js', [
    'cache-read',
    'what was read stays when it was written below',
    'entry.value = value;',
    'entry.value ??= value;',
  ]),
  ...inFile(
    'streams/task/writeDown.js',
    ['no-flush', 'a store is not flushed before a commit', 'task.flush();', ';'],
    [
      'position-ahead',
      'a position is committed before its record is processed',
      'partition, offset, partitionTimeMs, ...lagging }',
      'partition, offset: offset + 1, partitionTimeMs, ...lagging }',
    ],
    [
      'position-missing',
      'a position is not committed with the output',
      'if (offset === binding.writtenPosition && stateOffset === binding.stateOffset)',
      'if (offset % 2 === 0)',
    ],
  ),
  ...inFile('streams/task/restore.js', [
    'copy-restore',
    'a copy is restored from one record too late',
    'for (let next = stateOffset;',
    'for (let next = stateOffset + 1;',
  ]),
];
