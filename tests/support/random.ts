/** Numbers of a fixed sequence for tests that want chance without surprises: a linear congruence modulo 2^32 (Numerical Recipes). */
export function seededRandom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // The low bits of such a sequence repeat soon.
    return Math.floor((state / 4_294_967_296) * below);
  };
}
