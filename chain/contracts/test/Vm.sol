// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @notice The few of forge's cheatcodes that these tests use.
interface Vm {
    struct Gas {
        uint64 gasLimit;
        uint64 gasTotalUsed;
        uint64 gasMemoryUsed;
        int64 gasRefunded;
        uint64 gasRemaining;
    }

    function envOr(string calldata name, bool otherwise) external view returns (bool);
    function readFile(string calldata path) external view returns (string memory);
    function parseJsonBytes(string calldata json, string calldata key) external pure returns (bytes memory);

    function warp(uint256 time) external;
    function prank(address sender) external;
    function expectRevert() external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectEmit() external;
    function setEvmVersion(string calldata fork) external;
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
    function lastCallGas() external view returns (Gas memory);

    function assertTrue(bool ok) external pure;
    function assertTrue(bool ok, string calldata what) external pure;
    function assertEq(uint256 got, uint256 want) external pure;
    function assertEq(uint256 got, uint256 want, string calldata what) external pure;
    function assertEq(address got, address want) external pure;
    function assertEq(bytes32 got, bytes32 want) external pure;
    function assertLe(uint256 got, uint256 most, string calldata what) external pure;
    function assertApproxEqAbs(uint256 got, uint256 want, uint256 off, string calldata what) external pure;
}

Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
