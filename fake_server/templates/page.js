// Puts new requests on top of the table while somebody looks, and says so.
"use strict";

const rows = document.getElementById("rows");
const state = document.getElementById("state");

const numberOf = (row) => Number(row?.dataset.number ?? 0);

// What was still being answered is asked for again, with what came after it.
function seen() {
  const open = [...rows.querySelectorAll("[data-open]")].map(numberOf);
  return open.length ? Math.min(...open) - 1 : numberOf(rows.querySelector("tr"));
}

function show(row) {
  const shown = rows.querySelector(`[data-number="${numberOf(row)}"]`);
  if (shown) {
    shown.replaceWith(row);
  } else {
    rows.prepend(row);
  }
  return !shown;
}

async function look() {
  try {
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch(`/_fake/rows?after=${seen()}`, { signal });
    if (!answer.ok) {
      throw new Error(answer.statusText);
    }
    const fragment = document.createElement("template");
    fragment.innerHTML = await answer.text();
    const added = [...fragment.content.querySelectorAll("tr")].reverse().filter(show).length;
    if (added) {
      state.textContent = added === 1 ? "1 new request." : `${added} new requests.`;
    }
  } catch {
    state.textContent = "The server does not answer; it may have ended.";
  }
  setTimeout(look, 1000);
}

setTimeout(look, 1000);
