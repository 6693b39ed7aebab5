// Shows the description that the address names: #points (also without any) or #sync.
"use strict";

function show() {
  const part = location.hash === "#sync" ? "sync" : "points";
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === "#" + part) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  SwaggerUIBundle({
    url: part === "sync" ? "sync/openapi.json" : "openapi.json",
    dom_id: "#api",
    presets: [SwaggerUIBundle.presets.apis],
    validatorUrl: null, // Nothing is asked of another host.
    docExpansion: "list",
    tryItOutEnabled: false,
  });
}

addEventListener("hashchange", show);
show();
