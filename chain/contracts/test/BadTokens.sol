// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {DevToken} from "../DevToken.sol";

/// @notice One token that can be bad in every way the contract must survive.
contract BadToken is DevToken {
    enum Way {
        Good,
        ReturnsFalse,
        ReturnsNothing,
        ReturnsTwo,
        Reverts,
        ReturnBomb,
        BurnsGas,
        TakesFee,
        CallsBack
    }

    Way public way;
    /// @dev Way applies to transfers to it alone; zero: to all.
    address public only;
    address public hook;
    bytes public hookData;
    bool public hookSucceeded;
    bytes public hookAnswer;
    mapping(address account => bool) public blocked;

    constructor() DevToken("Bad", "BAD", 18) {}

    function setWay(Way way_, address only_) external {
        way = way_;
        only = only_;
    }

    function setBlocked(address account, bool isBlocked) external {
        blocked[account] = isBlocked;
    }

    /// @dev Called on each transfer, as the recipient's hook of an ERC-777 would be.
    function setHook(address hook_, bytes calldata data) external {
        hook = hook_;
        hookData = data;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        require(!blocked[msg.sender] && !blocked[to], "blocked");
        if (only != address(0) && to != only) return super.transfer(to, amount);
        if (way == Way.ReturnsFalse) return false;
        if (way == Way.ReturnsTwo) {
            assembly {
                mstore(0, 2)
                return(0, 32)
            }
        }
        if (way == Way.Reverts) revert("no");
        if (way == Way.ReturnBomb) {
            assembly {
                revert(0, 1000000)
            }
        }
        if (way == Way.BurnsGas) {
            assembly {
                invalid()
            }
        }
        if (way == Way.TakesFee) {
            _burn(msg.sender, amount / 10);
            return super.transfer(to, amount - amount / 10);
        }
        if (way == Way.CallsBack) (hookSucceeded, hookAnswer) = hook.call(hookData);
        super.transfer(to, amount);
        if (way == Way.ReturnsNothing) {
            assembly {
                return(0, 0)
            }
        }
        return true;
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (way == Way.ReturnsFalse) return false;
        if (way == Way.TakesFee) {
            _burn(from, amount / 10);
            return super.transferFrom(from, to, amount - amount / 10);
        }
        return super.transferFrom(from, to, amount);
    }
}
