/**
 * The environment variables of libpq, which apply where a connection URL says nothing. Source: PostgreSQL documentation,
 * "Environment Variables". Those that set how a session behaves (PGTZ, PGCLIENTENCODING, …) are not here: the program sets that itself.
 */
const PARAMETER_OF: Readonly<Record<string, string>> = {
  PGHOST: "host",
  PGHOSTADDR: "hostaddr",
  PGPORT: "port",
  PGDATABASE: "dbname",
  PGUSER: "user",
  PGPASSWORD: "password",
  PGPASSFILE: "passfile",
  PGOPTIONS: "options",
  PGCONNECT_TIMEOUT: "connect_timeout",
  PGTARGETSESSIONATTRS: "target_session_attrs",
  PGLOADBALANCEHOSTS: "load_balance_hosts",
  PGSERVICE: "service",
  PGREQUIREAUTH: "require_auth",
  PGREQUIREPEER: "requirepeer",
  PGCHANNELBINDING: "channel_binding",
  PGSSLMODE: "sslmode",
  PGREQUIRESSL: "requiressl",
  PGSSLNEGOTIATION: "sslnegotiation",
  PGSSLROOTCERT: "sslrootcert",
  PGSSLCERT: "sslcert",
  PGSSLKEY: "sslkey",
  PGSSLCERTMODE: "sslcertmode",
  PGSSLCRL: "sslcrl",
  PGSSLCRLDIR: "sslcrldir",
  PGSSLSNI: "sslsni",
  PGSSLMINPROTOCOLVERSION: "ssl_min_protocol_version",
  PGSSLMAXPROTOCOLVERSION: "ssl_max_protocol_version",
  PGGSSENCMODE: "gssencmode",
};

/** A variable that is set, and the parameter that it stands for. */
export interface PostgresVariable {
  readonly variable: string;
  readonly parameter: string;
  readonly value: string;
}

/** The variables that are set; an empty one counts as not set. */
export function readPostgresVariables(
  environment: Readonly<Record<string, string | undefined>>,
): readonly PostgresVariable[] {
  return Object.entries(PARAMETER_OF).flatMap(([variable, parameter]) => {
    const value = environment[variable];
    return value ? [{ variable, parameter, value }] : [];
  });
}
