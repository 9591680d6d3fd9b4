import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Version {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  readonly schema: string;
}

class Refusal extends Error {
  readonly status: number;
  readonly errorCode: number;

  constructor(status: number, errorCode: number, message: string) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
  }
}

const NOT_FOUND = { subject: 40401, version: 40402, schema: 40403, config: 40408 } as const;

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, string>>> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? {} : JSON.parse(text);
}

/**
 * The part of Confluent's registry protocol that a registering client speaks, kept in memory: versions of subjects, ids of texts, and the
 * compatibility setting of subjects, which it stores and does not judge by.
 */
export class ConfluentProtocolServer {
  readonly #versions: Version[] = [];
  readonly #config = new Map<string, string>();
  readonly #server: Server;

  private constructor(login: string | null) {
    const right = login === null ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;
    this.#server = createServer((request, response) => {
      if (right !== undefined && request.headers.authorization !== right) {
        response.writeHead(401).end();
        return;
      }
      this.#answer(request).then(
        (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        (error: unknown) => {
          const { status, errorCode, message } =
            error instanceof Refusal ? error : new Refusal(500, 50001, String(error));
          response
            .writeHead(status, { 'content-type': 'application/json' })
            .end(JSON.stringify({ error_code: errorCode, message }));
        },
      );
    });
  }

  /** @param login what it asks of who speaks to it, as `user:password`; null: nothing */
  static async start(login: string | null = null): Promise<ConfluentProtocolServer> {
    const server = new ConfluentProtocolServer(login);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage): Promise<unknown> {
    const [collection, name = '', part, version] = new URL(request.url!, this.url).pathname
      .slice(1)
      .split('/')
      .map(decodeURIComponent);
    const body = await bodyOf(request);
    if (collection === 'config') return this.#configure(request.method!, name, body.compatibility);
    if (collection === 'schemas') {
      const found = this.#versions.find(({ id }) => String(id) === part);
      if (found === undefined) throw new Refusal(404, NOT_FOUND.schema, 'Schema not found');
      return { schema: found.schema };
    }
    if (name === '') return [...new Set(this.#versions.map(({ subject }) => subject))];
    const versions = this.#versions.filter(({ subject }) => subject === name);
    if (request.method === 'POST' && part === 'versions') return this.#register(name, versions, body.schema!);
    if (versions.length === 0) throw new Refusal(404, NOT_FOUND.subject, `Subject '${name}' not found.`);
    if (version === undefined) return versions.map((each) => each.version);
    const found =
      version === 'latest' ? versions.at(-1) : versions.find((each) => String(each.version) === version);
    if (found === undefined) throw new Refusal(404, NOT_FOUND.version, `Version ${version} not found.`);
    return found;
  }

  #configure(method: string, subject: string, compatibility: string | undefined): unknown {
    if (method === 'PUT') {
      this.#config.set(subject, compatibility!);
      return { compatibility };
    }
    const level = this.#config.get(subject);
    if (level === undefined) throw new Refusal(404, NOT_FOUND.config, `Subject '${subject}' has no setting.`);
    return { compatibilityLevel: level };
  }

  #register(subject: string, versions: readonly Version[], schema: string): { readonly id: number } {
    const known = versions.find((each) => each.schema === schema);
    if (known !== undefined) return { id: known.id };
    const same = this.#versions.find((each) => each.schema === schema);
    const id = same?.id ?? 1 + Math.max(0, ...this.#versions.map((each) => each.id));
    this.#versions.push({ subject, version: versions.length + 1, id, schema });
    return { id };
  }
}
