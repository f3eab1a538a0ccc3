// Time left to answer, measured on the monotonic clock from what the server said was left:
// a phone with a wrong wall clock counts down right.

export interface Deadline {
  /** Monotonic milliseconds. */
  end: number;
  total: number;
}

export const deadlineOf = (expiresInMs: number, totalMs: number, monotonic: number): Deadline => ({
  end: monotonic + Math.max(0, expiresInMs),
  total: Math.max(1, totalMs, expiresInMs),
});

export const secondsLeft = (deadline: Deadline, monotonic: number): number =>
  Math.max(0, Math.ceil((deadline.end - monotonic) / 1000));

/** Share of the ring still drawn: 1 full, 0 over; steps once a second with the digits. */
export const ringShare = (deadline: Deadline, monotonic: number): number =>
  Math.min(1, (secondsLeft(deadline, monotonic) * 1000) / deadline.total);
