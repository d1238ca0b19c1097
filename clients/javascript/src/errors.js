// The one shape of every error: code, message, retryable (docs/spec/wire.md, "Errors").

/** The names of gRPC's status codes, by number: the codes of the wire. */
export const CODES = Object.freeze([
  'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND',
  'ALREADY_EXISTS', 'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED',
  'OUT_OF_RANGE', 'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED',
]);

export class ArkaError extends Error {
  name = 'ArkaError';

  /**
   * `retryable`: whether the same call may succeed later. What ended it, where that is another
   * error, is `cause`.
   */
  constructor(code, message, { retryable = false, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable;
  }

  toJSON() {
    return { code: this.code, message: this.message, retryable: this.retryable };
  }
}

/** The server acknowledged what it cannot have: never of what was sent, back, or past a level. */
export class AckViolation extends ArkaError {
  name = 'AckViolation';

  constructor(message) {
    super('INTERNAL', `the server broke the rules of acknowledgements: ${message}`);
  }
}

/** A row that does not fit its table; `column` is its name, `row` the row. */
export class RowError extends ArkaError {
  name = 'RowError';

  constructor(column, problem, row) {
    super('INVALID_ARGUMENT', `column '${column}': ${problem}`);
    this.column = column;
    this.row = row;
  }
}

export const timedOut = (what, cause) =>
  new ArkaError('DEADLINE_EXCEEDED', what, { retryable: true, cause });

export const invalid = (message) => new ArkaError('INVALID_ARGUMENT', message);
