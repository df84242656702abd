// Sends what a Node program asks of xAI to the fake instead; `fake_server run` requires it
// before the program. Only requests for one of xAI's hosts are touched.
"use strict";

const http = require("node:http");
const https = require("node:https");
const { syncBuiltinESMExports } = require("node:module");

const HOSTS = new Set(["api.x.ai", "us.api.x.ai", "us-east-1.api.x.ai", "eu-west-1.api.x.ai"]);
const address = process.env.FAKE_SERVER_ADDRESS;

function turned(url) {
  const to = new URL(url);
  if (!HOSTS.has(to.hostname)) return null;
  to.protocol = "http:";
  to.host = address;
  return to;
}

function patchFetch() {
  const fetch = globalThis.fetch;
  globalThis.fetch = function (input, init) {
    const isRequest = typeof Request !== "undefined" && input instanceof Request;
    const to = turned(isRequest ? input.url : input);
    if (!to) return fetch(input, init);
    // A body that streams has to say so once more when its request is made anew.
    return isRequest
      ? fetch(new Request(to, new Request(input, { duplex: "half" })), init)
      : fetch(to, init);
  };
}

function patchHttps() {
  const request = https.request;
  https.request = function (...given) {
    const isUrl = typeof given[0] === "string" || given[0] instanceof URL;
    const options = { ...(isUrl ? given[1] && typeof given[1] === "object" ? given[1] : {} : given[0]) };
    const host = isUrl ? new URL(given[0]).hostname : options.hostname || (options.host || "").split(":")[0];
    if (!HOSTS.has(host)) return request.apply(https, given);
    const to = new URL(`http://${address}`);
    if (isUrl) {
      const from = new URL(given[0]);
      options.path = from.pathname + from.search;
    }
    // An agent of https opens no plain connection.
    Object.assign(options, { protocol: "http:", host: to.hostname, hostname: to.hostname, port: to.port, agent: undefined });
    const answered = given.find((one) => typeof one === "function");
    return answered ? http.request(options, answered) : http.request(options);
  };
  https.get = function (...given) {
    const sent = https.request(...given);
    sent.end();
    return sent;
  };
}

if (address) {
  patchFetch();
  patchHttps();
  syncBuiltinESMExports();
}
