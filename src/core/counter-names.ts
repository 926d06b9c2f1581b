/** The counters that steps keep; docs/generated/metrics.md is made from this table. Flink's names where it has one. */
export const counterNames = Object.freeze({
  recordsIn: { name: 'numRecordsIn', doc: 'rows that reached the step' },
  recordsOut: { name: 'numRecordsOut', doc: 'rows that the step emitted, or that a sink handed over' },
  bytesIn: { name: 'numBytesIn', doc: 'bytes that a source received' },
  bytesOut: { name: 'numBytesOut', doc: 'bytes that a sink sent' },
  recordsSkipped: { name: 'numRecordsSkipped', doc: 'records dropped by `errors: skip`' },
  lateRecords: {
    name: 'numLateRecordsDropped',
    doc: 'rows that came after all their windows were past their lateness, and were dropped',
  },
  deadLetters: { name: 'numDeadLetters', doc: 'records sent to the dead-letter target' },
  lag: { name: 'pendingRecords', doc: 'records that a source has still to read, as far as it knows' },
});
