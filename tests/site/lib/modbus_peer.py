"""A Modbus server by pymodbus, told what to hold over stdin, one JSON a line:

    {"set": [unit, table, address, [values]]}     {"get": [unit, table, address, count]}

Each line is answered by one. Run as: modbus_peer.py tcp ADDRESS PORT UNITS, or
modbus_peer.py rtu DEVICE BAUD UNITS; UNITS is a comma list, others are silent.
"""
import asyncio
import json
import os
import sys

import pymodbus
from pymodbus.datastore import (ModbusSequentialDataBlock, ModbusServerContext,
                                ModbusSlaveContext)
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer

SIZE = 300
READ = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}


def slave():
    def block():
        return ModbusSequentialDataBlock(1, [0] * SIZE)  # the protocol's 0 is its 1
    return ModbusSlaveContext(di=block(), co=block(), hr=block(), ir=block())


def main():
    kind, where, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    units = {int(u): slave() for u in sys.argv[4].split(",")}
    context = ModbusServerContext(slaves=units, single=False)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    waiting = b""

    def on_line():
        nonlocal waiting
        got = os.read(0, 65536)
        if not got:
            loop.stop()
        waiting += got
        while b"\n" in waiting:
            line, waiting = waiting.split(b"\n", 1)
            answer = None
            for verb, (unit, table, address, what) in json.loads(line).items():
                if verb == "set":
                    units[unit].setValues(READ[table], address, what)
                else:
                    answer = [int(v) for v in units[unit].getValues(READ[table], address, what)]
            print(json.dumps(answer), flush=True)

    async def serve():
        loop.add_reader(0, on_line)
        old = int(pymodbus.__version__.split(".")[1]) < 5
        if kind == "tcp":
            more = {} if not old else {"allow_reuse_address": True}
            server = StartAsyncTcpServer(context=context, address=(where, number),
                                         ignore_missing_slaves=True, **more)
        else:
            if old:
                from pymodbus.transaction import ModbusRtuFramer as framer
            else:
                framer = "rtu"
            server = StartAsyncSerialServer(context=context, framer=framer, port=where,
                                            baudrate=number, parity="N", bytesize=8, stopbits=1,
                                            ignore_missing_slaves=True)
        print("ready", flush=True)
        await server

    try:
        loop.run_until_complete(serve())
    except RuntimeError:
        pass  # stopped: our stdin is closed


main()
