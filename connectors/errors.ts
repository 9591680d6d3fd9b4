/** The errors of the connectors, each with what it means. */
export const CONNECTOR_ERRORS = {
  SOURCE_FOLDER: 'the folder is not there, or holds nothing of what was asked for',
  SOURCE_FILE: 'a file cannot be read as what it should be',
  SOURCE_TIME: 'the source would turn back the time of the market',
  SOURCE_OPTIONS: 'the options of a source make no sense',
} as const;

export type ConnectorErrorCode = keyof typeof CONNECTOR_ERRORS;

export class ConnectorError extends Error {
  readonly code: ConnectorErrorCode;

  constructor(code: ConnectorErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'ConnectorError';
    this.code = code;
  }
}
