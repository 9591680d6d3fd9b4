/** What the program ends with; scripts rely on it, and --help tells it. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** A comparison found a difference, or something that was to be done was left undone. */
  different: 3,
  interrupted: 130,
} as const;

export const EXIT_CODES_HELP = `
Exit codes:
  0    done
  1    failed, with one line on standard error that says why
  2    wrong usage
  3    a comparison found a difference (topology diff, replay)
  130  interrupted; what was done until then is told`;
