/*
 * The health check of the engine's image, for the role that the container plays. A Dispatcher is well once it leads or
 * knows who does; a TaskManager while its process answers on its RPC port. Ports and TLS are those of the variables.
 * Nothing but Node is loaded, because it runs every few seconds.
 */
import { readFileSync } from 'node:fs';
import { request as overHttp } from 'node:http';
import { connect } from 'node:http2';
import { request as overTls } from 'node:https';

const TIMEOUT_MS = 8000;
const environment = process.env;

// A check that hangs is one that has failed.
setTimeout(() => end('no answer'), TIMEOUT_MS);

const role = readFileSync('/proc/1/cmdline', 'utf8').split('\0').find((word) => /^(dispatcher|taskmanager)$/.test(word));
if (role === 'dispatcher') askDispatcher();
else if (role === 'taskmanager') pingTaskManager();
else end(null);

function isSecure() {
  return (environment.MILLRACE_TLS_CERT ?? '') !== '';
}

/** Who listens everywhere listens on loopback, too. */
function hostOf(variable) {
  const host = environment[variable] ?? '127.0.0.1';
  return host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
}

/** To oneself: whose certificate it is says nothing that is not known. */
function tlsOptions() {
  const { MILLRACE_TLS_CERT: cert, MILLRACE_TLS_KEY: key } = environment;
  return isSecure() ? { cert: readFileSync(cert), key: readFileSync(key), rejectUnauthorized: false } : {};
}

function askDispatcher() {
  const host = hostOf('MILLRACE_REST_HOST');
  const options = { host, port: environment.MILLRACE_REST_PORT, path: '/readyz', ...tlsOptions() };
  const request = (isSecure() ? overTls : overHttp)(options, (response) => {
    end(response.statusCode === 200 ? null : `readyz: ${response.statusCode}`);
  });
  request.on('error', (error) => end(error.message));
  request.end();
}

function pingTaskManager() {
  const host = hostOf('MILLRACE_RPC_HOST');
  const authority = host.includes(':') ? `[${host}]` : host;
  const url = `${isSecure() ? 'https' : 'http'}://${authority}:${environment.MILLRACE_RPC_PORT}`;
  const session = connect(url, tlsOptions());
  session.on('error', (error) => end(error.message));
  session.on('connect', () => session.ping((error) => end(error === null ? null : error.message)));
}

function end(problem) {
  if (problem !== null) process.stdout.write(`${role}: ${problem}\n`);
  process.exit(problem === null ? 0 : 1);
}
