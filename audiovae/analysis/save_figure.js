// Every picture can be saved as the SVG that it is, in the colours it has now.
document.querySelectorAll("figure > svg").forEach((svg) => {
  const button = document.createElement("button");
  button.textContent = "save figure";
  button.addEventListener("click", () => {
    const copy = svg.cloneNode(true), page = getComputedStyle(document.body);
    copy.style.color = page.color;
    copy.style.background = page.backgroundColor;
    const text = new XMLSerializer().serializeToString(copy)
      .replace(/var\((--[a-z]+), [^)]*\)/g, (_, name) => page.getPropertyValue(name).trim());
    const link = document.createElement("a");
    const name = svg.parentElement.id || svg.getAttribute("aria-label").replace(/\W+/g, "-").toLowerCase();
    link.download = `${name}.svg`;
    link.href = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
    link.click();
    URL.revokeObjectURL(link.href);
  });
  svg.after(button);
});
