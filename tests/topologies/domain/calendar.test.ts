import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatNewYork,
  isOpen,
  newYorkDate,
  newYorkMidnight,
  newYorkNextMidnight,
  newYorkOffsetMs,
  nextClose,
  nextOpen,
  nextSessionDate,
  sessionOf,
  sessionsBetween,
} from '../../../topologies/domain/calendar.ts';

const DAY_MS = 86_400_000;
const at = (text: string): number => Date.parse(text);

function weekdaysClosed(year: number): string[] {
  const closed: string[] = [];
  for (let ms = Date.UTC(year, 0, 1); ms < Date.UTC(year + 1, 0, 1); ms += DAY_MS) {
    const day = new Date(ms);
    const date = day.toISOString().slice(0, 10);
    if (day.getUTCDay() % 6 !== 0 && sessionOf(date) === null) closed.push(date.slice(5));
  }
  return closed;
}

/** As the exchange published them. */
const CLOSED: Readonly<Record<number, string>> = {
  2001: '01-01 01-15 02-19 04-13 05-28 07-04 09-03 09-11 09-12 09-13 09-14 11-22 12-25',
  2012: '01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25',
  2013: '01-01 01-21 02-18 03-29 05-27 07-04 09-02 11-28 12-25',
  2021: '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24',
  2022: '01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26',
  2024: '01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25',
  2025: '01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25',
  2026: '01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25',
  2027: '01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24',
};
const EARLY: Readonly<Record<number, string>> = {
  2002: '07-05 11-29 12-24',
  2003: '07-03 11-28 12-24 12-26',
  2012: '07-03 11-23 12-24',
  2013: '07-03 11-29 12-24',
  2021: '11-26',
  2022: '11-25',
  2024: '07-03 11-29 12-24',
  2025: '07-03 11-28 12-24',
  2026: '11-27 12-24',
};

test('knows the holidays the exchange kept', () => {
  for (const [year, dates] of Object.entries(CLOSED))
    assert.equal(weekdaysClosed(Number(year)).join(' '), dates, year);
});

test('knows the days that closed early', () => {
  for (const [year, dates] of Object.entries(EARLY)) {
    const early = sessionsBetween(`${year}-01-01`, `${year}-12-31`).filter((session) => session.early);
    assert.equal(early.map(({ date }) => date.slice(5)).join(' '), dates, year);
    for (const { closeMs } of early) assert.match(formatNewYork(closeMs), /T13:00:00/);
  }
});

test('every year of the century has a plausible number of sessions', () => {
  for (let year = 2000; year <= 2100; year += 1) {
    const sessions = sessionsBetween(`${year}-01-01`, `${year}-12-31`);
    assert.ok(sessions.length >= 248 && sessions.length <= 253, `${year}: ${sessions.length}`);
    for (const { openMs, closeMs } of sessions) {
      assert.match(formatNewYork(openMs), /T09:30:00-0[45]:00$/);
      assert.match(formatNewYork(closeMs), /T1[36]:00:00-0[45]:00$/);
    }
  }
});

test('the offset of New York agrees with the time zone database', () => {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: 'America/New_York',
    timeZoneName: 'longOffset',
    hour: 'numeric',
  });
  // Every five hours, and to the millisecond around each change.
  const instants: number[] = [];
  for (let ms = at('2000-01-01T00:00:00Z'); ms < at('2037-12-31T00:00:00Z'); ms += 5 * 3_600_000)
    instants.push(ms);
  let before = instants[0]!;
  for (const ms of [...instants]) {
    if (newYorkOffsetMs(ms) !== newYorkOffsetMs(before)) {
      let low = before;
      let high = ms;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (newYorkOffsetMs(middle) === newYorkOffsetMs(before)) low = middle;
        else high = middle;
      }
      instants.push(low, high);
    }
    before = ms;
  }
  for (const ms of instants) {
    const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')!.value;
    assert.equal(
      newYorkOffsetMs(ms),
      name === 'GMT-04:00' ? -4 * 3_600_000 : -5 * 3_600_000,
      new Date(ms).toISOString(),
    );
  }
});

test('a session holds its first instant and not its last', () => {
  const { openMs, closeMs } = sessionOf('2013-10-07')!;
  assert.equal(openMs, at('2013-10-07T13:30:00Z'));
  assert.equal(closeMs, at('2013-10-07T20:00:00Z'));
  assert.deepEqual(
    [openMs - 1, openMs, closeMs - 1, closeMs].map((ms) => isOpen(ms)),
    [false, true, true, false],
  );
});

test('the next open and close skip weekends, holidays and early closes', () => {
  assert.equal(formatNewYork(nextOpen(at('2026-11-25T22:00:00Z'))), '2026-11-27T09:30:00-05:00');
  assert.equal(formatNewYork(nextClose(at('2026-11-26T15:00:00Z'))), '2026-11-27T13:00:00-05:00');
  assert.equal(formatNewYork(nextClose(at('2026-11-27T18:00:00Z'))), '2026-11-30T16:00:00-05:00');
  assert.equal(formatNewYork(nextOpen(at('2013-10-11T13:30:00Z'))), '2013-10-14T09:30:00-04:00');
  assert.equal(nextSessionDate('2026-11-25'), '2026-11-27');
});

test('where the market is always open, days still end at four in the afternoon', () => {
  const saturday = at('2026-11-28T22:00:00Z');
  assert.equal(isOpen(saturday, 'always'), true);
  assert.equal(formatNewYork(nextClose(saturday, 'always')), '2026-11-29T16:00:00-05:00');
  assert.equal(formatNewYork(nextOpen(saturday, 'always')), '2026-11-29T16:00:00-05:00');
  assert.equal(formatNewYork(nextClose(saturday)), '2026-11-30T16:00:00-05:00');
});

test('a day of New York may have 23 or 25 hours', () => {
  const long = at('2026-11-01T12:00:00Z');
  assert.equal(formatNewYork(newYorkMidnight(long)), '2026-11-01T00:00:00-04:00');
  assert.equal(newYorkNextMidnight(long) - newYorkMidnight(long), 25 * 3_600_000);
  const short = at('2026-03-08T12:00:00Z');
  assert.equal(newYorkNextMidnight(short) - newYorkMidnight(short), 23 * 3_600_000);
  assert.equal(newYorkDate(at('2026-11-02T04:59:59.999Z')), '2026-11-01');
});

test('what is no date has no session', () => {
  for (const text of ['2026-02-30', '2026-13-01', 'tomorrow', '']) assert.equal(sessionOf(text), null, text);
  assert.deepEqual(sessionsBetween('2026-02-30', '2026-03-30'), []);
});
