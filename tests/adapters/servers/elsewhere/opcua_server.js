// The OPC UA reactor of opcua.py on node-opcua: node opcua_server.js PORT
"use strict";
const fs = require("fs");
const { OPCUAServer } = require("node-opcua-server");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");
const { StatusCodes } = require("node-opcua-status-code");
const { DataType, Variant } = require("node-opcua-variant");

const LIMIT = 200, BEST = 80, RUN_MS = 50;

function addReactor(server) {
  const space = server.engine.addressSpace;
  const ns = space.registerNamespace("urn:titrant:test");
  const reactor = ns.addObject({ organizedBy: space.rootFolder.objects, browseName: "Reactor" });
  let setPoint = 20;
  ns.addVariable({
    componentOf: reactor,
    browseName: "SetPoint",
    dataType: "Double",
    minimumSamplingInterval: 10,
    value: {
      get: () => new Variant({ dataType: DataType.Double, value: setPoint }),
      set: (variant) => {
        setPoint = variant.value;
        return StatusCodes.Good;
      },
    },
  });
  const state = ns.addVariable({ componentOf: reactor, browseName: "State", dataType: "String" });
  state.setValueFromSource({ dataType: DataType.String, value: "Idle" });
  const temperature = ns.addVariable({ componentOf: reactor, browseName: "Temperature", dataType: "Double" });
  temperature.setValueFromSource({ dataType: DataType.Double, value: 20 });
  const run = ns.addMethod(reactor, {
    browseName: "Run",
    inputArguments: [],
    outputArguments: [{ name: "yield", dataType: DataType.Double }],
  });
  run.bindMethod(async (_inputs, _context) => {
    fs.appendFileSync(process.env.LEDGER, `${setPoint}\n`);
    if (setPoint < 0) await new Promise(() => {});
    if (setPoint > LIMIT) {
      temperature.setValueFromSource({ dataType: DataType.Double, value: setPoint }, StatusCodes.BadSensorFailure);
      return { statusCode: StatusCodes.BadDeviceFailure, outputArguments: [] };
    }
    state.setValueFromSource({ dataType: DataType.String, value: "Running" });
    temperature.setValueFromSource({ dataType: DataType.Double, value: setPoint });
    state.setValueFromSource({ dataType: DataType.String, value: "Idle" });
    const value = 100 - ((setPoint - BEST) / 8) ** 2;
    return { statusCode: StatusCodes.Good, outputArguments: [new Variant({ dataType: DataType.Double, value })] };
  });
}

// Start(JobId) returns at once; JobId, State and Yield then tell of that run.
function addStart(server) {
  const ns = server.engine.addressSpace.getNamespace("urn:titrant:test");
  const reactor = server.engine.addressSpace.rootFolder.objects.reactor;
  const shown = {};
  for (const [name, dataType, value] of [["Yield", DataType.Double, 0], ["JobId", DataType.String, ""]]) {
    shown[name] = ns.addVariable({ componentOf: reactor, browseName: name, dataType });
    shown[name].setValueFromSource({ dataType, value });
  }
  const start = ns.addMethod(reactor, {
    browseName: "Start",
    inputArguments: [{ name: "JobId", dataType: DataType.String }],
    outputArguments: [],
  });
  const state = (value) => reactor.state.setValueFromSource({ dataType: DataType.String, value });
  start.bindMethod(async ([job], _context) => {
    const setPoint = reactor.setPoint.readValue().value.value;
    fs.appendFileSync(process.env.LEDGER, `${setPoint}\n`);
    state("Running");
    shown.JobId.setValueFromSource(job);
    setTimeout(() => {
      shown.Yield.setValueFromSource({ dataType: DataType.Double, value: 100 - ((setPoint - BEST) / 8) ** 2 });
      state(setPoint > LIMIT ? "Aborted" : "Complete");
    }, RUN_MS);
    return { statusCode: StatusCodes.Good, outputArguments: [] };
  });
}

async function main(port) {
  const server = new OPCUAServer({
    port,
    host: "127.0.0.1",
    hostname: "127.0.0.1",
    resourcePath: "",
    securityPolicies: [SecurityPolicy.None],
    securityModes: [MessageSecurityMode.None],
    allowAnonymous: true,
    disableDiscovery: true,
  });
  await server.initialize();
  addReactor(server);
  addStart(server);
  await server.start();
}

main(Number(process.argv[2])).catch((error) => {
  console.error(error);
  process.exit(1);
});
